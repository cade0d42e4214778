"""A CDN that behaves like QQ's image host, on loopback."""

from .catalog import HOSTS as HOSTS
from .catalog import Form as Form
from .catalog import HostedPicture as HostedPicture
from .catalog import md5_path as md5_path
from .cdn import CdnRequest as CdnRequest
from .cdn import InsideFetchFailed as InsideFetchFailed
from .cdn import SimulatedCdn as SimulatedCdn
from .faults import Fault as Fault
from .faults import Faults as Faults
from .faults import Reply as Reply
from .keys import Key as Key
from .keys import KeyRing as KeyRing
from .keys import Kind as Kind
