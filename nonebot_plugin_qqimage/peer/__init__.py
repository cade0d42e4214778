"""The OneBot implementation behind a bot: what it is and does, its calls, and its answers."""

from .answers import ImageAnswer as ImageAnswer
from .answers import Kind as Kind
from .answers import content_place as content_place
from .answers import forward_nodes as forward_nodes
from .answers import message_content as message_content
from .calls import calling as calling
from .peer import Peer as Peer
from .peers import Peers as Peers
