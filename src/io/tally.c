/* Names of what is counted: they are part of the admin socket's protocol and of the metrics. */
#include "tally.h"

static const char *const names[TALLY_COUNT] = {
    [TALLY_ALLOWED] = "allowed",
    [TALLY_REWRITTEN] = "rewritten",
    [TALLY_ANSWERED] = "answered",
    [TALLY_REJECTED] = "rejected",
    [TALLY_COMPLAINED] = "complained",
    [TALLY_EVENTS_PASSED] = "events_passed",
    [TALLY_EVENTS_WITHHELD] = "events_withheld",
    [TALLY_PROBLEMS] = "problems",
    [TALLY_BYTES_FROM_CLIENT] = "bytes_from_client",
    [TALLY_BYTES_TO_CLIENT] = "bytes_to_client",
    [TALLY_BYTES_FROM_TOR] = "bytes_from_tor",
    [TALLY_BYTES_TO_TOR] = "bytes_to_tor",
};

const char *tally_name(enum tally_kind kind)
{
    return names[kind];
}

bool tally_find_outcome(struct span name, enum tally_kind *kind_out)
{
    for (int kind = 0; kind < TALLY_OUTCOMES; kind++) {
        if (!span_equals(name, span_from_string(names[kind])))
            continue;
        *kind_out = (enum tally_kind)kind;
        return true;
    }
    return false;
}

enum tally_kind tally_outcome(const struct session_report *report)
{
    if (report->is_local)
        return TALLY_ANSWERED;
    if (report->is_complaint)
        return TALLY_COMPLAINED;
    switch (report->verdict) {
    case VERDICT_REFUSE:
        return TALLY_REJECTED;
    case VERDICT_ANSWER:
        return TALLY_ANSWERED;
    case VERDICT_FORWARD:
    case VERDICT_SUBSCRIBE:
        break;
    }
    return report->is_rewritten ? TALLY_REWRITTEN : TALLY_ALLOWED;
}
