// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The table of the commands and what `pytrail help NAME` says of each. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const char trace_usage[] =
	"usage: pytrail trace [-p PID]... [-f] [-e PATTERNS] [-o FORMAT[:DEST]]... [options]\n"
	"                     [-- COMMAND ARG...]\n"
	"\n"
	"Shows every audit event that CPython processes raise, with its arguments, while they\n"
	"run. Without -p and without COMMAND it traces the whole host: every CPython that runs\n"
	"now or starts later. It needs root (or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE);\n"
	"`pytrail check` says whether this host can be traced.\n"
	"\n"
	"What to trace\n"
	"  -p, --pid PID             this process, all its threads; repeats\n"
	"  -f, --follow              the children that it forks, too\n"
	"  -- COMMAND ARG...         run COMMAND, trace it and its children from the first\n"
	"                            instruction, and end with its exit status (128 + the number\n"
	"                            of the signal that killed it)\n"
	"  -e, --events PATTERNS     comma-separated names and globs of events, `!` excludes:\n"
	"                            -e 'open,socket.*,!socket.gethostname'; repeats\n"
	"      --uid UID             processes of this user, by number or name\n"
	"      --exe GLOB            that execute this file; a glob without a slash is one of the\n"
	"                            base name, here and for scripts and environments\n"
	"      --comm GLOB           of this name\n"
	"      --container ID|NAME   in this container: the first digits of its id do, or a glob\n"
	"                            of the name that its runtime gives it\n"
	"      --cgroup PATH         in this control group or one below\n"
	"      --script GLOB         that run this script, or with -m this module\n"
	"      --venv GLOB           in this virtual environment\n"
	"                            Each repeats (any of them will do), `!` in front excludes,\n"
	"                            those of several kinds must all hold\n"
	"      --probe MODE          how: auto (USDT where a file has it, uprobes on the audit\n"
	"                            functions where not), usdt or uprobe\n"
	"      --interpreters GLOB[:GLOB...]\n"
	"                            files to attach before anything runs them, in place of\n"
	"                            python3* in PATH and, for the whole host, the usual places\n"
	"                            (system, /usr/local, /opt, pyenv, conda, uv); with `+` in\n"
	"                            front: these too; none: not any\n"
	"      --hold-new[=MS]       hold the exec of a Python that is new here until it is\n"
	"                            attached, for MS milliseconds at most (500): nothing of it\n"
	"                            is missed. On local file systems of this mount namespace\n"
	"\n"
	"What to write\n"
	"  -o, --output FORMAT[:DEST]\n"
	"                            FORMAT: text (for reading), json (one object a line), ecs\n"
	"                            (Elastic Common Schema 9.4), ocsf (OCSF 1.8), cef, leef\n"
	"                            (LEEF 2.0); DEST: a file, or the URL of a receiver with\n"
	"                            settings in its query; standard output without one; FORMAT\n"
	"                            may be left out before a URL; repeats.\n"
	"                            FILE?rotate_size=100M&rotate_every=1d&keep=10&\n"
	"                            compress=zstd rotates a file; SIGHUP opens it anew\n"
	"                            Default: text on a terminal, json otherwise\n"
	"      --attack=high|all|none\n"
	"                            in ecs and ocsf: the ATT&CK technique of events of high\n"
	"                            severity (default), of all that can be part of one, or none\n"
	"      --spool DIR           where records wait for such receivers, and stay until the\n"
	"                            next time; a private directory without it\n"
	"      --drain-timeout SECONDS\n"
	"                            at the end, for what waits to be delivered (10); the rest is\n"
	"                            counted as lost\n"
	"      --redact[=RULES]      put a keyed hash in the place of secrets, in what goes to "
	"files\n"
	"                            and terminals; what leaves the host has it always. RULES:\n"
	"                            input, send, env, command, url, names (all of them are on),\n"
	"                            all, none, EVENT:ARGUMENT (globs), name=GLOB (one more\n"
	"                            secret name); `!` turns one off: --redact='!env'; repeats\n"
	"      --redact-key FILE     the key of the hashes, made where there is none; a new one "
	"for\n"
	"                            each run without it\n"
	"      --processes           a record of each exec and exit of a process that is traced,\n"
	"                            and of when its events begin to be seen (attach; late: it\n"
	"                            ran before that) and cease to be (detach)\n"
	"      --tamper              alerts of processes that switch their probe off or overwrite "
	"it,\n"
	"                            and of interpreters whose file changes while they run\n"
	"      --record FILE         the records as they come, for `pytrail replay`\n"
	"      --stats[=SECONDS]     counters on standard error, at the end and every SECONDS\n"
	"      --bpf-stats           the run time of the BPF programs, too; it costs every BPF "
	"program\n"
	"                            on the host some 20 ns a run, so not always\n"
	"  -q, --quiet               nothing on standard error but errors\n"
	"  -v, --verbose             say more of what is done; -vv: libbpf's messages, too\n"
	"\n"
	"How long\n"
	"      --duration SECONDS    end after this time\n"
	"      --max-events N        end after this many events\n"
	"                            Ctrl-C (SIGINT) and SIGTERM end it as well: what has been\n"
	"                            seen is still written\n"
	"\n"
	"Limits\n"
	"      --ring-size SIZE      of the buffer between the kernel and pytrail; K, M and G are\n"
	"                            understood; rounded up to a power of two (8M)\n"
	"      --max-string BYTES    of one str, bytes or int (4096); more is cut and marked\n"
	"      --max-items N         of one tuple, list, dict or set (128)\n"
	"      --max-depth N         of values in values (4), at most 8\n"
	"      --max-rate N[/s]      events of one process, N at once and N a second: what is "
	"more\n"
	"                            is counted as lost (throttled), so that a process that "
	"floods\n"
	"                            does not fill the buffer for all others; no limit without it\n"
	"      --strict              exit with 4 if an event was lost\n"
	"      --no-confine          keep all privileges: without it capabilities are given up\n"
	"                            once everything is attached, and system calls filtered\n"
	"\n"
	"Examples\n"
	"  pytrail trace                                        everything on this host\n"
	"  pytrail trace -e 'socket.*,subprocess.Popen'         who connects, who starts what\n"
	"  pytrail trace -f -p 4242 -o json:/var/log/app.json   one service and its workers\n"
	"  pytrail trace -o json -- python3 setup.py install    one command\n"
	"\n"
	"Exit codes: 0 clean; 1 failure; 2 usage; 3 cannot trace here, with the reason; 4 events\n"
	"were lost (with --strict); of COMMAND, if there is one.\n";

static const char top_usage[] =
	"usage: pytrail top [-p PID]... [-f] [-e PATTERNS] [options]\n"
	"\n"
	"Shows live, on a full screen, who raises how many audit events: by process, by event, by\n"
	"container. Nothing of the events but their names is looked at. Without -p the whole "
	"host.\n"
	"\n"
	"  -p, -f, -e, --probe, --uid, --exe, --comm, --container, --cgroup, --script, --venv,\n"
	"  --interpreters, --hold-new, --no-confine\n"
	"                            as for trace\n"
	"      --interval SECONDS    between two looks (1)\n"
	"      --by VIEW             process, event or container first\n"
	"      --batch N             no screen: plain text on standard output, N times; all\n"
	"                            views, or the one of --by\n"
	"      --once                the same as --batch 1\n"
	"      --duration SECONDS    end after this time\n"
	"      --ring-size SIZE      as for trace\n"
	"  -q, --quiet               nothing on standard error but errors\n"
	"  -v, --verbose             say more of what is done\n"
	"\n"
	"Keys\n"
	"  p e c                     by process, by event, by container\n"
	"  s < >                     sort by another column; r: the other way round\n"
	"  space                     pause: events are counted on, the figures stay\n"
	"  /                         filter: part of a text, or a glob such as socket.*\n"
	"  arrows, PgUp, PgDn        scroll\n"
	"  ?                         these keys\n"
	"  q                         quit\n";

static const char list_usage[] =
	"usage: pytrail list [--json] [--watch[=SECONDS]] [--count[=SECONDS]]\n"
	"\n"
	"Lists the live CPython processes: pid, version, container, binary and its build id, and "
	"how\n"
	"each would be traced or why it cannot be.\n"
	"\n"
	"  --json                    one JSON object a line\n"
	"  --watch[=SECONDS]         again every so many seconds (2): on a terminal over the last\n"
	"                            one, else behind it; Ctrl-C ends it\n"
	"  --count[=SECONDS]         how many events each raises: counted for so many seconds (5)\n"
	"                            before the table; with --watch from its start on. Attaches\n"
	"                            as `pytrail top` does, and needs root\n";

static const char events_usage[] =
	"usage: pytrail events [--json] [--python VERSION] [NAME]\n"
	"       pytrail events --json-schema\n"
	"\n"
	"Prints the table of audit events that pytrail knows: arguments, versions of CPython that\n"
	"raise them, category and severity (1 informational to 5 critical).\n"
	"\n"
	"  NAME                      this event only, with its arguments by version and where it\n"
	"                            is raised\n"
	"  --json                    one JSON object a line\n"
	"  --python VERSION          the events of one version, such as 3.9\n"
	"  --json-schema             the JSON Schema of what `pytrail trace -o json` writes\n";

static const char check_usage[] =
	"usage: pytrail check [--json]\n"
	"\n"
	"Says whether this host can be traced: kernel features, privileges, interpreters found;\n"
	"what is missing and how to get it.\n"
	"\n"
	"  --json                    one JSON object\n"
	"\n"
	"Exit codes: 0 it can be traced; 3 it cannot.\n";

static const char replay_usage[] =
	"usage: pytrail replay FILE [-e PATTERNS] [-o FORMAT[:DEST]]... [--max-events N]\n"
	"\n"
	"Renders the records that `pytrail trace --record FILE` wrote, as they would have been\n"
	"then. Needs no privileges. `-` is standard input.\n"
	"\n"
	"  -e, --events PATTERNS     as for trace\n"
	"  -o, --output FORMAT[:DEST]\n"
	"                            as for trace\n"
	"      --attack=high|all|none, --redact[=RULES], --redact-key FILE\n"
	"                            as for trace\n"
	"      --max-events N        end after this many events\n"
	"  -q, --quiet               nothing on standard error but errors\n"
	"  -v, --verbose             say more\n";

static const char daemon_usage[] =
	"usage: pytrail daemon [-c CONFIG]\n"
	"       pytrail daemon [-c CONFIG] --check-config\n"
	"       pytrail daemon --print-options\n"
	"\n"
	"The service: traces the host and delivers what it sees as CONFIG says, until SIGTERM.\n"
	"pytrail.yaml(5) describes CONFIG; files of conf.d beside it are read, too. SIGHUP reads "
	"it\n"
	"again: no event is missed; a CONFIG with an error in it changes nothing.\n"
	"\n"
	"  -c, --config CONFIG       this file (/etc/pytrail/pytrail.yaml)\n"
	"      --check-config        say OK, or all that is wrong with it, and end\n"
	"      --print-options       the keys of CONFIG with types, defaults and limits, as\n"
	"                            tab-separated lines\n"
	"\n"
	"Exit codes: 0 ended by a signal, or CONFIG is good; 1 failure; 2 CONFIG is not good;\n"
	"3 cannot trace here, with the reason.\n";

static const char status_usage[] =
	"usage: pytrail status [--json] [--socket PATH]\n"
	"\n"
	"Says what a running daemon has seen, lost and delivered, and how its outputs are.\n"
	"\n"
	"  --json                    one JSON object\n"
	"  --socket PATH             the daemon's, 'control: socket' of its configuration\n"
	"                            (/run/pytrail/control.sock)\n";

static const char spool_usage[] =
	"usage: pytrail spool [show | verify | drain] [--json] [--output NAME] [--ack] [DIR]\n"
	"\n"
	"What waits on disk for the outputs of `pytrail daemon` that are reached over the "
	"network.\n"
	"It may be running meanwhile. DIR, with a '/' in it, is /var/lib/pytrail/spool by "
	"default.\n"
	"\n"
	"  show                      segments by severity; of each output what is pending and "
	"what\n"
	"                            became of the rest (the default)\n"
	"  verify                    reads every item: is it whole?\n"
	"  drain                     prints what is pending for an output on standard output, one\n"
	"                            item a line\n"
	"\n"
	"      --output NAME         which output, if there are several\n"
	"      --ack                 what was printed counts as delivered; not while the daemon\n"
	"                            reads for that output\n"
	"      --json                show and verify: JSON\n"
	"\n"
	"Exit codes: 0 done; 1 something is damaged, or cannot be read.\n";

static const char help_usage[] = "usage: pytrail help [COMMAND]\n"
				 "\n"
				 "Prints what pytrail, or one of its commands, does.\n";

const struct command commands[] = {
	{"trace", cmd_trace, "show the audit events of processes, of a command or of the host",
         trace_usage},
	{"top", cmd_top, "show live who raises how many events", top_usage},
	{"list", cmd_list, "list the live CPython processes and how they would be traced", list_usage},
	{"events", cmd_events, "print the table of audit events", events_usage},
	{"check", cmd_check, "say whether this host can be traced, or what is missing", check_usage},
	{"replay", cmd_replay, "render records again that trace --record wrote", replay_usage},
	{"spool", cmd_spool, "show, verify or drain what waits on disk for the outputs", spool_usage},
	{"daemon", cmd_daemon, "trace the host and deliver to receivers, as a service", daemon_usage},
	{"status", cmd_status, "say how a running daemon is", status_usage},
	{"help", cmd_help, "say what pytrail or a command does", help_usage},
};
const size_t commands_cnt = sizeof(commands) / sizeof(commands[0]);

void command__usage(const char *name)
{
	for (size_t i = 0; i < commands_cnt; i++)
		if (!strcmp(commands[i].name, name))
			fputs(commands[i].usage, stdout);
}
