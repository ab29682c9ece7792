/* Which other process may write into a session. */
#include <criterion/criterion.h>

#include "mem.h"
#include "writer_rule.h"

/* A process: `label` as the kernel writes it. */
struct process {
    bool unknown;
    uid_t uid;
    const char *label;
    enum identity_evidence evidence;
    const char *executable;
    const char *unit;
};

struct row {
    struct process session;
    struct process writer;
    struct identity_needs needs;
    const char *refusal; /* behind "another process wrote: "; NULL: it may */
};

#define USER .uid = 1000
#define KERNEL(text) .label = text, .evidence = EVIDENCE_KERNEL
#define PROC(text) .label = text, .evidence = EVIDENCE_PROC
#define EXE(path) .executable = path
#define UNIT(name) .unit = name
#define NOTHING {0}
#define LABEL {.label = true}
#define PATHS {.label = true, .unconfined_path = true}
#define KERNEL_ONLY {.label = true, .kernel_label = true}
#define EXECUTABLE {.executable = true}
#define IN_UNIT {.unit = true}

static const struct row rows[] = {
    /* the user, always */
    {{USER}, {USER}, NOTHING, NULL},
    {{USER}, {.uid = 1001}, NOTHING, "the user differs"},
    {{USER}, {.uid = 0}, NOTHING, "the user differs"},
    {{.uid = 0}, {USER}, NOTHING, "the user differs"},
    {{.unknown = true}, {USER}, NOTHING, "the user differs"},
    {{USER}, {.unknown = true, USER}, NOTHING, "the user differs"},
    {{.unknown = true}, {.unknown = true}, NOTHING, "the user differs"},
    {{USER, PROC("a (enforce)")}, {.uid = 1001, PROC("a (enforce)")}, LABEL, "the user differs"},

    /* what nobody asks for may differ */
    {{USER, PROC("a (enforce)"), EXE("/a"), UNIT("a.service")},
     {USER, PROC("b (enforce)"), EXE("/b"), UNIT("b.service")}, NOTHING, NULL},
    {{USER, EXE("/a")}, {USER}, NOTHING, NULL},

    /* the label */
    {{USER, PROC("a (enforce)")}, {USER, PROC("a (enforce)")}, LABEL, NULL},
    {{USER, KERNEL("a (enforce)")}, {USER, PROC("a (enforce)")}, LABEL, NULL},
    {{USER, KERNEL("a (enforce)")}, {USER, PROC("a (complain)\n")}, LABEL, NULL},
    {{USER, PROC("a (enforce)")}, {USER, PROC("b (enforce)")}, LABEL, "the label differs"},
    {{USER, PROC("a (enforce)")}, {USER, PROC("a//&b (enforce)")}, LABEL, "the label differs"},
    {{USER, PROC("a (enforce)")}, {USER, PROC("a//b (enforce)")}, LABEL, "the label differs"},
    {{USER, PROC("a (enforce)")}, {USER, PROC(":n:a (enforce)")}, LABEL, "the label differs"},
    {{USER, PROC("a (enforce)")}, {USER, PROC("unconfined")}, LABEL, "the label differs"},
    {{USER, PROC("unconfined")}, {USER, PROC("a (enforce)")}, LABEL, "the label differs"},
    {{USER, PROC("unconfined")}, {USER, PROC("unconfined\n")}, LABEL, NULL},
    {{USER, PROC("a (enforce)")}, {USER}, LABEL, "its label is not known"},
    {{USER}, {USER}, LABEL, "its label is not known"},
    {{USER}, {USER, PROC("a (enforce)")}, LABEL, "the label differs"},

    /* kernel-only: /proc is no evidence */
    {{USER, KERNEL("a (enforce)")}, {USER, PROC("a (enforce)")}, KERNEL_ONLY,
     "the kernel has no evidence of its label"},
    {{USER, KERNEL("a (enforce)")}, {USER}, KERNEL_ONLY, "the kernel has no evidence of its label"},
    {{USER, KERNEL("a (enforce)")}, {USER, KERNEL("a (enforce)")}, KERNEL_ONLY, NULL},
    {{USER, KERNEL("a (enforce)")}, {USER, KERNEL("b (enforce)")}, KERNEL_ONLY,
     "the label differs"},

    /* the path by which an unconfined client goes */
    {{USER, PROC("unconfined"), EXE("/a")}, {USER, PROC("unconfined"), EXE("/a")}, PATHS, NULL},
    {{USER, PROC("unconfined"), EXE("/a")}, {USER, PROC("unconfined"), EXE("/b")}, PATHS,
     "the executable differs"},
    {{USER, PROC("unconfined"), EXE("/a")}, {USER, PROC("unconfined")}, PATHS,
     "its executable is not known"},
    {{USER, PROC("a (enforce)"), EXE("/a")}, {USER, PROC("a (enforce)"), EXE("/b")}, PATHS, NULL},

    /* executable */
    {{USER, EXE("/a")}, {USER, EXE("/a")}, EXECUTABLE, NULL},
    {{USER, EXE("/a")}, {USER, EXE("/b")}, EXECUTABLE, "the executable differs"},
    {{USER, EXE("/a")}, {USER, EXE("/a/b")}, EXECUTABLE, "the executable differs"},
    {{USER, EXE("/a")}, {USER}, EXECUTABLE, "its executable is not known"},
    {{USER}, {USER, EXE("/a")}, EXECUTABLE, "the executable differs"},
    {{USER}, {USER}, EXECUTABLE, "its executable is not known"},

    /* unit */
    {{USER, UNIT("a.service")}, {USER, UNIT("a.service")}, IN_UNIT, NULL},
    {{USER, UNIT("a.service")}, {USER, UNIT("b.service")}, IN_UNIT, "the unit differs"},
    {{USER, UNIT("a.service")}, {USER}, IN_UNIT, "its unit is not known"},

    /* all of them */
    {{USER, PROC("a (enforce)"), EXE("/a")}, {USER, PROC("a (enforce)"), EXE("/b")},
     {.label = true, .executable = true}, "the executable differs"},
    {{USER, PROC("a (enforce)"), EXE("/a")}, {USER, PROC("b (enforce)"), EXE("/a")},
     {.label = true, .executable = true}, "the label differs"},
};

static char *copy_or_null(const char *text)
{
    return text ? mem_copy_string(span_from_string(text)) : NULL;
}

static struct identity make_identity(const struct process *process)
{
    struct identity identity = {
        .has_credentials = !process->unknown,
        .uid = process->uid,
        .executable = copy_or_null(process->executable),
        .unit = copy_or_null(process->unit),
    };

    if (process->label)
        identity_set_label(&identity, process->label, strlen(process->label), process->evidence);
    return identity;
}

Test(writer_rule, refusals)
{
    static const char prefix[] = "another process wrote: ";

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct identity session = make_identity(&rows[i].session);
        struct identity writer = make_identity(&rows[i].writer);
        const char *refusal = writer_rule_refusal(&session, &writer, &rows[i].needs);
        const char *expected = rows[i].refusal;
        bool right = !expected == !refusal;
        if (right && refusal)
            right = strncmp(refusal, prefix, sizeof prefix - 1) == 0 &&
                    strcmp(refusal + sizeof prefix - 1, expected) == 0;
        cr_expect(right, "row %zu: %s instead of %s", i, refusal ? refusal : "allowed",
                  expected ? expected : "allowed");
        identity_clear(&session);
        identity_clear(&writer);
    }
}
