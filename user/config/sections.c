// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "sections.h"

#include "../../bpf/wire.h"

static const struct setting trace[] = {
	{"events", SETTING_LIST, NULL, NULL, 0, 0,
         "names and globs of events, `!` excludes, as -e of pytrail trace; all without it"},
	{"probe", SETTING_CHOICE, "auto", "auto|usdt|uprobe", 0, 0,
         "USDT where a file has it and uprobes where not, or one of them only"},
	{"interpreters", SETTING_STRING, NULL, NULL, 0, 0,
         "files to attach before anything runs them, as --interpreters"},
	{"hold_new", SETTING_SECONDS, "0", NULL, 0, 60,
         "how long the exec of a Python that is new here is held at most, until it is attached"},
	{"processes", SETTING_BOOL, "no", NULL, 0, 0,
         "a record of each exec and exit of a process that is traced"},
	{"attack", SETTING_CHOICE, "high", "high|all|none", 0, 0,
         "which events name their ATT&CK technique in ecs and ocsf"},
	{"ring_size", SETTING_SIZE, "8M", NULL, 4096, 2147483648.0,
         "the buffer between the kernel and pytrail, rounded up to a power of two"},
	{"max_string", SETTING_SIZE, "4096", NULL, 16, PT_RECORD_MAX / 2,
         "bytes of one str, bytes or int; more is cut and marked"},
	{"max_items", SETTING_NUMBER, "128", NULL, 1, 4096, "items of one tuple, list, dict or set"},
	{"max_depth", SETTING_NUMBER, "4", NULL, 1, PT_DEPTH_MAX, "values in values"},
	{"confine", SETTING_BOOL, "yes", NULL, 0,
         0, "once attached, capabilities are given up and system calls filtered, as without --no-confine"},
	{"tamper", SETTING_BOOL, "yes", NULL, 0, 0,
         "alerts of processes that work against being seen, and of interpreters that change"},
	{"max_rate", SETTING_NUMBER, "100000", NULL, 0,
         PT_RATE_MAX, "events a second of one process, and so many at once; what is more is lost as throttled; 0: no limit"},
	{0},
};

/* In the order of enum selection_kind. */
static const struct setting select[] = {
	{"uid", SETTING_LIST, NULL, NULL, 0, 0, "users, by number or name"},
	{"exe", SETTING_LIST, NULL, NULL, 0, 0, "globs of the file that is executed"},
	{"comm", SETTING_LIST, NULL, NULL, 0, 0, "globs of the name"},
	{"container", SETTING_LIST, NULL, NULL, 0, 0, "first digits of a container's id"},
	{"cgroup", SETTING_LIST, NULL, NULL, 0, 0, "control groups, and those below"},
	{"script", SETTING_LIST, NULL, NULL, 0, 0, "globs of the script, or of the module of -m"},
	{"venv", SETTING_LIST, NULL, NULL, 0, 0, "globs of the virtual environment's directory"},
	{0},
};

static const struct setting outputs[] = {
	{"name", SETTING_STRING, NULL, NULL, 0, 0,
         "how figures, messages and the spool call it: a-z, 0-9, _ and -, 31 at most; it keeps its "
         "place in the spool by it"},
	{"to", SETTING_STRING, NULL, NULL, 0, 0,
         "a receiver's URL, whose query may hold settings, or the absolute path of a file"},
	{"format", SETTING_STRING, NULL, NULL, 0, 0,
         "as -o of pytrail trace; without it what suits the receiver, json for a file"},
	{"events", SETTING_LIST, NULL, NULL, 0, 0,
         "names and globs of the events that go there, of those that are traced"},
	{"min_severity", SETTING_NUMBER, "1", NULL, 1, 5,
         "events below this severity do not go there; losses and alerts always do"},
	{"redact", SETTING_BOOL, "yes", NULL, 0, 0,
         "values that must not leave the host are replaced by hash and length"},
	{0},
};

static const struct setting spool[] = {
	{"directory", SETTING_PATH, "/var/lib/pytrail/spool", NULL, 0, 0,
         "where events wait for their receivers; of pytrail alone"},
	{"max_size", SETTING_SIZE, "1G", NULL, 1 << 20, 1e15,
         "bytes on disk at most; then the lowest severity goes first"},
	{"sync_interval", SETTING_SECONDS, "1s", NULL, 0, 3600,
         "between two fdatasync: what a loss of power may cost; 0: each sweep waits for one"},
	{0},
};

static const struct setting redact[] = {
	{"rules", SETTING_LIST, NULL, NULL, 0,
         0, "what is redacted where an output says so, as --redact of pytrail trace; all rules without it"},
	{"key", SETTING_PATH, NULL, NULL, 0,
         0, "file with the key of the hashes, made when it is not there; a new key each time without it"},
	{0},
};

static const struct setting exporter[] = {
	{"user", SETTING_STRING, NULL, NULL, 0,
         0, "user that the exporter runs as, by name or number; pytrail where there is one, else nobody"},
	{0},
};

static const struct setting metrics[] = {
	{"listen", SETTING_STRING, NULL, NULL, 0, 0,
         "where /metrics and /healthz are served: 127.0.0.1:9464, [::1]:9464 or unix:/path"},
	{"textfile", SETTING_PATH, NULL, NULL, 0, 0,
         "file that is replaced with the metrics, for node_exporter's textfile collector"},
	{"interval", SETTING_SECONDS, "15s", NULL, 1, 3600, "between two of these files"},
	{"bpf_stats", SETTING_BOOL, "no", NULL, 0, 0,
         "run time of the BPF programs is measured (kernel.bpf_stats_enabled): it costs each "
         "program some 20 ns a run"},
	{0},
};

static const struct setting control[] = {
	{"socket", SETTING_PATH, "/run/pytrail/control.sock", NULL, 0, 0,
         "where `pytrail status` asks; root's alone"},
	{0},
};

static const struct setting log_settings[] = {
	{"level", SETTING_CHOICE, "normal", "quiet|normal|verbose|debug", 0,
         0, "what is said on standard error: errors only, notices, what is done, libbpf's messages too"},
	{0},
};

const struct section sections[SECTIONS] = {
	[SECTION_TRACE] = {"trace",
                           "What is traced: the whole host unless told otherwise. A change takes "
                           "effect at restart.",
                           trace},
	[SECTION_SELECT] =
		{"trace.select",
                 "Which processes: any of a kind will do, `!` in front excludes, those of "
                 "several kinds must all hold. A change takes effect at restart.",
                 select},
	[SECTION_OUTPUTS] =
		{"outputs",
                 "A list of where events go. Each item has these keys, and those of its "
                 "receiver's driver.",
                 outputs},
	[SECTION_SPOOL] = {"spool",
                           "Events on their way to receivers over the network, on disk. A change "
                           "takes effect at restart.",
                           spool},
	[SECTION_REDACT] = {"redact",
                            "What stands for values that must not leave the host. A change takes "
                            "effect at restart.",
                            redact},
	[SECTION_EXPORTER] = {"exporter",
                              "The process without privileges that talks to the receivers.", exporter},
	[SECTION_METRICS] = {"metrics", "Figures for Prometheus, and health.", metrics},
	[SECTION_CONTROL] = {"control", "For pytrail status. A change takes effect at restart.",
                             control},
	[SECTION_LOG] = {"log", "Messages of the daemon itself.", log_settings},
};
