"""How much is too much: every fixed limit, with its unit and its reason.

What an operator may change stands in `settings.py`; what stands here is part of the
contract with clients, or protects the process whatever the settings say.
"""

from typing import Final

# Bodies, in bytes. The broker takes messages of up to 8 MiB; a batch must fit in one.
BATCH_BYTES: Final = 1024 * 1024  # default of limits.batch_bytes
BATCH_BYTES_MOST: Final = 4 * 1024 * 1024  # twice that, wrapped, fits the broker
MESSAGE_BYTES: Final = 32 * 1024  # one identify or track; Segment's own limit
BATCH_MESSAGES: Final = 1_000  # messages in a batch (S0.8)
ADMIN_BYTES: Final = 2 * 1024 * 1024  # a campaign with all its templates
CALLBACK_BYTES: Final = 256 * 1024  # a provider's status callback
JSON_DEPTH: Final = 64  # levels; deeper nesting is an attack on the parser

# People and events, in characters (Unicode code points) unless said otherwise.
USER_ID_LENGTH: Final = 100  # S2.4
ANONYMOUS_ID_LENGTH: Final = 128  # SDKs make these; the longest seen has 74
DEVICE_ID_LENGTH: Final = 128  # as anonymous ids, which stand for devices that have no id
MESSAGE_ID_LENGTH: Final = 128  # opaque; the longest seen has 74 (channels.md §3.1)
EVENT_NAME_LENGTH: Final = 200  # a name is read by people; longer ones carry data
EVENT_NAMES: Final = 5_000  # names in a workspace; more is an id put into a name
ATTRIBUTE_NAME_LENGTH: Final = 50  # S2.7
ATTRIBUTES_PER_TYPE: Final = 25  # custom attributes of each type (S2.7)
STRING_LENGTH: Final = 1_000  # longer strings are cut, and it is reported (S2.6)
PROPERTIES: Final = 200  # different properties of one event
PREVIOUS_ANONYMOUS_IDS: Final = 20  # that a browser may remember and send with a login
PUSH_ADDRESS_BYTES: Final = 4 * 1024  # of a token or a browser's subscription; FCM's own limit
LEFT_ADDRESS_DAYS: Final = 90  # that a push address is known which no device has any more: phones
# that were off so long have lost their token by then, and what they still tell is out of date
HELD_DEATHS_DAYS: Final = 30  # for an admin to decide; whoever is dead is called so again
DEVICES_PER_PERSON: Final = 50  # those used last are kept; more is a shared account or a script

# Definitions that people write.
NAME_LENGTH: Final = 200  # of a campaign, segment or key
CONDITION_DEPTH: Final = 20  # levels of all / any / none
RENDERED_BYTES: Final = 1024 * 1024  # one rendered part; mail servers refuse much more

# Reading, in characters.
REJECT_VALUE_LENGTH: Final = 100  # how much of a refused value is shown

# Rates: defaults of limits.*_per_second, in the unit named there.
EVENTS_PER_SECOND: Final = 0  # of one write key; 0: no limit, the broker's pressure decides
PUBLIC_PER_SECOND: Final = 50  # clicks, opens and unsubscribes from one network address
