"""The routes of the reading and admin API, each behind its scope."""

from typing import Final

from litestar.handlers import HTTPRouteHandler

from angarium.gateway.campaign_states import (
    activate_campaign,
    archive_campaign,
    get_campaign_stats,
    pause_campaign,
    send_test,
)
from angarium.gateway.campaigns import (
    change_campaign,
    create_campaign,
    get_campaign,
    list_campaigns,
    replace_campaign,
)
from angarium.gateway.code_lists import (
    create_code_list,
    get_code_list,
    list_code_lists,
    upload_codes,
)
from angarium.gateway.decisions import decide
from angarium.gateway.deliveries import (
    get_delivery,
    list_deliveries,
    list_deliveries_of_person,
    release_delivery,
)
from angarium.gateway.events_api import get_event_stats, list_events
from angarium.gateway.explain import explain
from angarium.gateway.figures import get_delivery_stats
from angarium.gateway.live import stream_delivery_stats
from angarium.gateway.plugins_api import list_plugins
from angarium.gateway.profiles import get_profile, list_profiles
from angarium.gateway.rejects import list_rejects
from angarium.gateway.resends import resend_delivery
from angarium.gateway.sms_parts import count_sms_parts
from angarium.gateway.suppressions import (
    add_suppression,
    list_suppressions,
    remove_suppression,
)
from angarium.gateway.testers import list_testers, mark_tester, unmark_tester
from angarium.gateway.timeline import get_timeline

ADMIN_HANDLERS: Final[tuple[HTTPRouteHandler, ...]] = (
    list_profiles,
    get_profile,
    get_timeline,
    list_deliveries_of_person,
    explain,
    list_events,
    get_event_stats,
    create_campaign,
    list_campaigns,
    get_campaign,
    replace_campaign,
    change_campaign,
    activate_campaign,
    pause_campaign,
    archive_campaign,
    send_test,
    get_campaign_stats,
    count_sms_parts,
    list_testers,
    mark_tester,
    unmark_tester,
    create_code_list,
    list_code_lists,
    get_code_list,
    upload_codes,
    decide,
    list_deliveries,
    get_delivery_stats,
    stream_delivery_stats,
    get_delivery,
    release_delivery,
    resend_delivery,
    list_rejects,
    list_plugins,
    list_suppressions,
    add_suppression,
    remove_suppression,
)
