"""Which bad inputs are shown to be met, where, and which belong to parts that are not there yet.

The numbers are those of docs/reliability.md, "Bad inputs".
"""

import re

from tests.named_tests import ROOT, missing

HERE = "tests/bad_inputs/"
REQUEST = HERE + "test_requests.py::test_an_odd_request_gets_its_answer"
MESSAGE = HERE + "test_messages.py::test_a_message_that_cannot_be_stored_is_refused_and_listed"
CAMPAIGN = HERE + "test_definitions.py::test_a_campaign_that_cannot_work_is_refused_with_its_place"
TEMPLATE = (
    HERE + "test_definitions.py::test_a_template_is_rendered_within_its_limits_or_fails_alone"
)
ADDRESS = HERE + "test_addresses.py::test_an_address_that_can_be_read_in_two_ways_is_refused"
NATS = "tests/stories/test_nats_door.py::"
BAD_NATS = NATS + "test_what_cannot_be_stored_is_listed_and_the_next_message_is"
GUARD = "tests/gateway/test_http_guard.py::"
REFUSALS = "tests/gateway/test_ingest_refusals.py::"
PEOPLE = "tests/stories/test_people.py::"
LINKS = "tests/stories/test_links.py::"
FEEDBACK = HERE + "test_feedback.py::"
SMS = "tests/plugins/test_sms.py::"
BOUNCES = "tests/channels/test_bounces.py::"
HTTP = "tests/channels/test_http.py::"
ISOLATED = "tests/gateway/isolation/"
DEVICES = "tests/people/test_devices.py::"
SUBSCRIPTIONS = "tests/channels/test_web_push_address.py::"

SHOWN: dict[int, tuple[str, ...]] = {
    1: (REQUEST,),
    2: (REQUEST, REFUSALS + "test_a_key_that_is_missing_or_wrong_always_gets_the_same_answer"),
    3: (REQUEST,),
    4: (REQUEST,),
    5: (REQUEST,),
    6: (
        HERE + "test_requests.py::test_without_a_length_a_body_is_cut_off_at_the_limit",
        REFUSALS + "test_a_body_of_unknown_length_is_refused_at_the_limit",
    ),
    7: (REQUEST,),
    8: (REQUEST,),
    9: (REQUEST,),
    10: (GUARD + "test_a_request_that_does_not_arrive_in_time_is_cut_off",),
    11: (HERE + "test_requests.py::test_of_a_client_that_goes_in_the_middle_nothing_is_stored",),
    12: (REQUEST,),
    13: (HERE + "test_requests.py::test_a_request_of_two_lengths_is_refused_and_the_line_closed",),
    14: (REQUEST,),
    16: (HERE + "test_requests.py::test_a_forged_host_does_not_show_anywhere",),
    17: (REFUSALS + "test_a_key_that_sends_too_much_waits_its_turn",),
    18: (
        REFUSALS + "test_events_are_refused_while_the_broker_is_away",
        REFUSALS + "test_events_are_refused_while_the_stream_is_full",
    ),
    19: (
        HERE + "test_requests.py::test_an_idempotency_key_belongs_to_one_body",
        "tests/gateway/test_idempotency.py::"
        "test_while_the_first_request_is_at_work_the_second_is_told_so",
    ),
    20: (REQUEST, HERE + "test_definitions.py::test_what_is_no_campaign_at_all_is_refused"),
    21: (REQUEST,),
    22: (REQUEST, NATS + "test_a_nested_value_that_was_stored_can_be_read"),
    23: (REQUEST, BAD_NATS),
    24: (REQUEST, HERE + "test_requests.py::test_long_numbers_cost_nothing"),
    25: (REQUEST,),
    26: (REQUEST, BAD_NATS),
    27: (REQUEST, BAD_NATS),
    28: (REQUEST,),
    29: (REQUEST,),
    30: (REQUEST,),
    31: (
        HERE + "test_requests.py::"
        "test_a_value_of_any_type_in_any_field_is_stored_or_refused_by_name",
        BAD_NATS,
    ),
    32: (REQUEST, BAD_NATS),
    33: (
        HERE + "test_requests.py::"
        "test_one_bad_member_of_five_hundred_is_named_and_the_others_are_stored",
    ),
    34: (MESSAGE, BAD_NATS),
    35: (MESSAGE, BAD_NATS),
    36: (
        MESSAGE,
        HERE + "test_messages.py::test_an_odd_id_is_one_persons_id_and_nothing_else",
        HERE + "test_messages.py::test_an_id_is_the_same_however_its_letters_are_composed",
    ),
    37: (HERE + "test_messages.py::test_aliases_to_oneself_and_in_circles_lose_nobody",),
    38: (PEOPLE + "test_a_write_key_cannot_join_two_known_people",),
    39: (HERE + "test_messages.py::test_aliases_to_oneself_and_in_circles_lose_nobody",),
    41: (MESSAGE, HERE + "test_messages.py::test_an_odd_event_name_is_stored_as_it_is"),
    43: (
        MESSAGE,
        HERE + "test_messages.py::test_a_time_is_read_or_set_to_the_receipt_and_never_lies_ahead",
    ),
    44: (HERE + "test_messages.py::test_a_wrong_clock_is_corrected_by_the_time_of_sending",),
    45: ("tests/campaigns/test_hours.py::test_changes_of_the_clocks",),
    46: (HERE + "test_messages.py::test_a_zone_that_is_none_is_refused_and_listed",),
    47: (HERE + "test_messages.py::test_words_of_ours_in_traits_are_plain_attributes",),
    48: (HERE + "test_messages.py::test_of_one_id_with_two_payloads_the_first_counts",),
    49: (HERE + "test_messages.py::test_of_two_values_the_later_by_event_time_stands",),
    50: (BAD_NATS, NATS + "test_more_than_the_server_takes_is_refused_by_it"),
    51: (BAD_NATS,),
    52: (NATS + "test_a_workspace_in_the_payload_changes_nothing",),
    53: (NATS + "test_a_message_that_comes_ten_times_counts_once",),
    54: (
        NATS + "test_the_inbox_does_not_trust_the_brokers_message_id",
        NATS + "test_messages_without_an_id_each_count",
    ),
    55: (NATS + "test_odd_headers_are_of_no_account",),
    56: ("tests/bus/test_subjects.py::test_an_odd_token_never_becomes_part_of_a_subject",),
    57: (CAMPAIGN,),
    58: (HERE + "test_definitions.py::test_a_value_in_a_condition_is_compared_and_nothing_else",),
    62: (CAMPAIGN,),
    63: ("tests/campaigns/test_machine.py::"
         "test_a_run_finishes_by_the_stop_of_the_version_that_it_began_with",),
    64: (HERE + "test_definitions.py::test_of_two_editors_the_second_is_told",),
    65: (
        "tests/gateway/test_campaigns.py::test_a_campaign_of_another_workspace_is_not_found",
        "tests/gateway/test_profiles.py::test_nobody_of_another_workspace_is_found",
        "tests/gateway/test_deliveries.py::test_a_delivery_of_another_workspace_is_not_found",
    ),
    66: (CAMPAIGN,),
    67: (HERE + "test_definitions.py::test_figures_are_grouped_by_what_is_listed_only",),
    68: (HERE + "test_definitions.py::test_an_odd_page_of_a_list_is_refused",),
    70: (HERE + "test_definitions.py::test_a_campaign_that_is_activated_twice_runs_once",),
    71: (
        CAMPAIGN,
        HERE + "test_definitions.py::test_a_mistake_in_a_template_is_told_with_its_line",
    ),
    72: (CAMPAIGN,),
    73: (CAMPAIGN, TEMPLATE),
    74: (TEMPLATE,),
    75: (CAMPAIGN,),
    76: (TEMPLATE,),
    77: (HERE + "test_definitions.py::test_what_people_say_is_escaped_in_html_and_plain_in_text",),
    78: (HERE + "test_definitions.py::test_line_breaks_in_a_value_make_no_header",),
    79: (TEMPLATE, "tests/delivery/test_render.py::test_a_message_that_is_too_large_is_not_made"),
    80: (CAMPAIGN,),
    81: (ADDRESS, HERE + "test_addresses.py::test_what_is_sent_to_is_what_the_profile_shows"),
    82: (HERE + "test_addresses.py::test_an_address_that_an_operator_suppressed_gets_nothing",),
    83: (HERE + "test_addresses.py::test_a_number_that_is_no_mobile_is_refused",),
    84: (
        SMS + "test_parts_are_counted_as_carriers_charge_them",
        SMS + "test_an_extension_letter_and_a_surrogate_pair_are_not_split",
        SMS + "test_the_parts_are_the_text_and_each_fits",
        "tests/gateway/test_sms_parts.py::test_parts_are_those_that_will_be_paid_for",
    ),
    85: (
        DEVICES + "test_a_bad_token_is_refused_by_name_and_costs_nothing_else",
        "tests/channels/test_fcm_answers.py::test_each_answer_means_something",
        "tests/channels/test_apns_answers.py::test_each_answer_means_something",
    ),
    86: (
        DEVICES + "test_a_damaged_subscription_is_refused_by_name",
        SUBSCRIPTIONS + "test_only_push_services_are_called",
        "tests/drills/ssrf/test_ssrf.py::test_no_url_of_any_kind_reaches_what_is_not_public",
        "tests/drills/ssrf/test_ssrf.py::test_a_redirect_leads_nowhere",
        "tests/drills/ssrf/test_ssrf.py::"
        "test_a_name_that_changes_its_mind_reaches_only_what_was_looked_at",
    ),
    87: (
        DEVICES + "test_a_damaged_subscription_is_refused_by_name",
        SUBSCRIPTIONS + "test_what_no_browser_made_is_a_dead_address",
    ),
    88: (
        FEEDBACK + "test_a_callback_of_nobody_is_refused",
        "tests/gateway/test_callbacks.py::test_what_is_not_signed_is_refused",
    ),
    89: (FEEDBACK + "test_what_is_told_twice_counts_once",),
    90: (FEEDBACK + "test_nonsense_stops_nothing_that_comes_after_it",),
    91: (
        FEEDBACK + "test_news_in_any_order_never_lead_backwards",
        FEEDBACK + "test_a_reaction_to_what_was_never_sent_is_not_believed",
    ),
    93: (FEEDBACK + "test_nonsense_stops_nothing_that_comes_after_it",),
    94: (
        BOUNCES + "test_what_is_no_mail_cannot_be_read",
        BOUNCES + "test_mail_that_was_written_to_cost_time_ends_soon",
        BOUNCES + "test_boundaries_and_charsets_may_lie",
        BOUNCES + "test_no_damage_kills_an_address",
        BOUNCES + "test_a_return_path_that_we_did_not_make_names_nobody",
        "tests/channels/test_mailbox.py::test_hostile_mail_is_left_and_stops_nobody",
    ),
    95: (BOUNCES + "test_a_letter_means_what_it_says_or_nothing",),
    96: (FEEDBACK + "test_a_burst_is_worked_off_and_what_comes_after_it_counts",),
    97: (LINKS + "test_a_token_that_is_not_ours_is_an_unknown_page",),
    98: (LINKS + "test_a_click_leads_only_where_the_record_says",),
    99: (LINKS + "test_what_scanners_do_changes_nothing",),
    100: (LINKS + "test_opens_and_clicks_are_counted_once_and_each_time",),
    101: (
        LINKS + "test_who_presses_the_button_gets_nothing_more",
        LINKS + "test_unsubscribing_twice_is_the_same_state",
    ),
    102: (LINKS + "test_an_unsubscription_stops_what_was_planned_before_it",),
    108: (
        HTTP + "test_no_more_of_an_answer_is_read_than_was_asked_for",
        HTTP + "test_a_bomb_is_cut_where_it_would_unfold",
        HTTP + "test_a_redirect_is_an_answer_like_any_other",
        "tests/drills/provider_faults/test_hanging.py::"
        "test_bytes_that_come_one_by_one_do_not_lengthen_the_wait",
        "tests/drills/ssrf/test_ssrf.py::test_a_redirect_leads_nowhere",
    ),
    110: (
        ISOLATED + "test_provider.py::"
        "test_a_plugin_that_breaks_the_contract_is_named_and_its_send_in_doubt",
        ISOLATED + "test_provider.py::test_a_process_that_dies_takes_only_what_it_had_begun",
        ISOLATED + "test_provider.py::test_one_that_closes_the_files_between_us_dies",
        ISOLATED + "test_provider.py::test_what_a_plugin_starts_goes_with_it",
        ISOLATED + "test_provider.py::"
        "test_after_so_many_failures_it_is_put_aside_and_then_tried_again",
        ISOLATED + "test_deliver.py::test_a_rogue_costs_its_own_messages_and_no_others",
        ISOLATED + "test_instance.py::test_a_rogue_is_named_and_everything_else_goes_on",
    ),
    111: ("tests/config/test_load.py::test_every_mistake_is_named_at_once_with_its_remedy",),
    112: ("tests/store/test_migrate.py::test_a_newer_database_is_left_alone",),
}  # fmt: skip

NOT_YET: dict[int, str] = {
    15: "no limit counts network addresses",
    40: "people cannot be erased",
    42: "the quota of names is there, but no test fills it",
    59: "conditions have no patterns",
    60: "audiences are not computed in the database",
    61: "there are no journeys",
    69: "a campaign is fired by events or decisions, one person at a time",
    92: "no provider speaks by SNS",
    103: "there is no import and no export",
    104: "there is no import",
    105: "nothing can be uploaded",
    106: "there is no console",
    107: "there is no SDK of ours",
    109: "webhooks carry no count of hops: rules of repetition and frequency caps end a circle",
}


def test_every_number_is_shown_or_not_there_yet() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]

    assert numbers == list(range(1, 113))
    assert sorted([*SHOWN, *NOT_YET]) == numbers


def test_the_tests_named_here_are_there() -> None:
    assert missing(name for names in SHOWN.values() for name in names) == []
