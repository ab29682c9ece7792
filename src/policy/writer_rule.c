/* A socket can be inherited or passed on, so who connected is not always who writes.
 *
 * Another process has to be what the one that connected was, in all that its profiles ask: the
 * user always, label, executable and unit where a profile lists some. What is not known of the
 * writer is not alike. Its label comes from /proc, so it never suffices where the kernel's own
 * evidence is wanted. */
#include "writer_rule.h"

#include <string.h>

#define WRITER "another process wrote: "

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool same_label(const struct identity *a, const struct identity *b)
{
    if (a->label_state != b->label_state)
        return false;
    switch (a->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        return false;
    case IDENTITY_UNCONFINED:
        return true;
    case IDENTITY_CONFINED:
        return same_text(a->label, b->label);
    }
    return false;
}

const char *writer_rule_refusal(const struct identity *session, const struct identity *writer,
                                const struct identity_needs *needs)
{
    bool by_path = needs->unconfined_path && session->label_state == IDENTITY_UNCONFINED;

    if (!session->has_credentials || !writer->has_credentials || session->uid != writer->uid)
        return WRITER "the user differs";
    if (needs->kernel_label && writer->label_evidence != EVIDENCE_KERNEL)
        return WRITER "the kernel has no evidence of its label";
    if (needs->label && writer->label_state == IDENTITY_LABEL_UNKNOWN)
        return WRITER "its label is not known";
    if (needs->label && !same_label(session, writer))
        return WRITER "the label differs";
    if ((needs->executable || by_path) && !same_text(session->executable, writer->executable))
        return writer->executable ? WRITER "the executable differs"
                                  : WRITER "its executable is not known";
    if (needs->unit && !same_text(session->unit, writer->unit))
        return writer->unit ? WRITER "the unit differs" : WRITER "its unit is not known";
    return NULL;
}
