/* onion-graterctl merge: several profile files to one profile, for implementations that take only
 * one for a client. */
#include "ctl_merge.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl_input.h"
#include "ctl_options.h"
#include "mem.h"
#include "merge.h"
#include "names.h"
#include "yaml_tree.h"

struct inputs {
    struct buf *texts;
    struct merge_input *items;
    size_t count;
};

/* False: one of the files cannot be read. */
static bool read_inputs(struct inputs *inputs, char **paths, size_t count)
{
    inputs->texts = mem_zalloc(count, sizeof *inputs->texts);
    inputs->items = mem_zalloc(count, sizeof *inputs->items);
    while (inputs->count < count) {
        size_t i = inputs->count++;
        if (!ctl_read_input("merge", paths[i], YAML_MAX_SIZE, &inputs->texts[i]))
            return false;
        inputs->items[i] = (struct merge_input){paths[i], buf_span(&inputs->texts[i])};
    }
    return true;
}

static void inputs_clear(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        buf_clear(&inputs->texts[i]);
    free(inputs->texts);
    free(inputs->items);
}

static void print_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        struct buf line;
        buf_init(&line, 65536);
        diag_format(&line, &diags->items[i]);
        struct span text = buf_span(&line);
        fprintf(stderr, "%.*s\n", (int)text.len, text.data);
        buf_clear(&line);
    }
}

static int merge(const struct inputs *inputs, const char *output)
{
    struct diag_list diags;
    struct buf merged;
    int status = CTL_FAILED;

    diag_list_init(&diags);
    buf_init(&merged, MERGE_MAX_TEXT);
    bool done = merge_profiles(inputs->items, inputs->count, &names_of_system, &diags, &merged);
    print_diags(&diags);
    if (done && ctl_write_output("merge", output, &merged))
        status = 0;
    if (status == 0)
        fprintf(stderr, "onion-graterctl merge: this onion-grater takes several profiles for one "
                        "client by itself; only another implementation needs the merged one\n");
    buf_clear(&merged);
    diag_list_clear(&diags);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'}, {0}};
    struct inputs inputs = {0};
    const char *output = NULL;
    int found;

    optind = 1;
    while ((found = ctl_next_option(&ctl_merge, argc, argv, ":o:", options, NULL)) != -1) {
        if (found != 'o')
            return CTL_USAGE;
        output = optarg;
    }
    if (optind == argc)
        return ctl_usage_error("merge", "name the files to be merged");
    bool is_read = read_inputs(&inputs, argv + optind, (size_t)(argc - optind));
    int status = is_read ? merge(&inputs, output) : CTL_USAGE;
    inputs_clear(&inputs);
    return status;
}

const struct ctl_verb ctl_merge = {
    .name = "merge",
    .arguments = "FILE... [-o OUT]",
    .summary = "several profiles to one, for other implementations",
    .options = "  -o OUT, --output OUT    the file to write, in place of standard output\n",
    .run = run,
};
