"""The doctor: what operators ask when pictures do not come, each answered in a line.

The same checks serve the command line and the chat. A running bot leaves word of itself in its
store, for the command line is another process.
"""

from .finding import Line as Line
from .finding import worst as worst
from .heartbeat import Heartbeat as Heartbeat
from .heartbeat import Word as Word
from .heartbeat import public as public
from .heartbeat import words as words
from .network import reaches_hosts as reaches_hosts
from .network import speaks_tls as speaks_tls
from .peers import about_bots as about_bots
from .peers import about_peer as about_peer
from .storage import about_store as about_store
from .versions import about_versions as about_versions
from .versions import versions as versions
