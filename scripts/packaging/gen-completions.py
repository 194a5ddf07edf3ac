#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""gen-completions.py bash|zsh|fish PYTRAIL: completions for a shell, on standard output, from what `PYTRAIL help`
says: an option in the help is one in every shell."""

import re
import subprocess
import sys

# What an option's argument is completed with: a shell's files, or words.
FILES = {"--record", "--redact-key", "--config", "--exe", "--script", "--venv", "--interpreters"}
WORDS = {"--probe": "auto usdt uprobe", "--by": "process event container",
         "--attack": "high all none", "--redact": "all none input send env command url names"}
OPTION = re.compile(r"(?<![\w-])(?:(-\w), )?(--[a-z][a-z-]+)(\[?=| [A-Z])?")
SHORT = {"-p": "--pid", "-f": "--follow", "-e": "--events", "-o": "--output", "-c": "--config",
         "-q": "--quiet", "-v": "--verbose", "-h": "--help"}


class Option:
    def __init__(self, long, short, argument):
        self.long, self.short = long, short
        self.argument = bool(argument)
        self.optional = argument == "[="


def output(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, text=True, check=True).stdout


def commands(pytrail):
    """Name → (summary, options)."""
    found = {}
    for name, summary in re.findall(r"^  ([a-z]+)  +(\S.*)$", output(pytrail, "help"), re.M):
        options = {}
        for line in output(pytrail, "help", name).splitlines():
            if not re.match(r"(usage:| {2,8}-)", line):
                continue
            for short, long, argument in OPTION.findall(line.split("   ")[0] if line.startswith("usage")
                                                        else line):
                option = options.setdefault(long, Option(long, short, argument))
                option.short = option.short or short
        found[name] = (summary, options)
    shared = found.get("trace", ("", {}))[1]
    for _, options in found.values():
        for long, option in options.items():  # "as for trace"
            if long in shared:
                options[long] = shared[long]
        options.setdefault("--help", Option("--help", "-h", ""))
    return found


def formats(pytrail):
    text = subprocess.run([pytrail, "trace", "-o", "?", "--", "true"], stderr=subprocess.PIPE,
                          text=True, check=False).stderr
    match = re.search(r"there are ([\w, ]+)", text)
    return match[1].split(", ") if match else ["text", "json"]


def events(pytrail):
    return re.findall(r'"event":"([^"]+)"|"name":"([^"]+)"', output(pytrail, "events", "--json"))


def words_of(option, words):
    return WORDS.get(option) or words.get(option, "")


def bash(table, words):
    print("""# bash completion of pytrail, made by scripts/packaging/gen-completions.py from `pytrail help`
_pytrail() {
	local cur prev command i
	COMPREPLY=()
	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=
	# `--name=value` comes as three words
	if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac
	done
	case $prev in""")
    for option in sorted({o for _, os in table.values() for o in os}):
        short = "|".join([s for s, l in SHORT.items() if l == option] + [option])
        if words_of(option, words):
            print("\t%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;"
                  % (short, words_of(option, words)))
        elif option in FILES:
            print("\t%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;" % short)
    print("\tesac\n\tcase $command in")
    print("\t'') COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;" % " ".join(table))
    for name, (_, options) in table.items():
        print("\t%s)" % name)
        if name in ("events", "help"):
            print("\t\t[[ $cur == -* ]] || { COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return; }"
                  % (" ".join(table) if name == "help" else words["--events"]))
        elif name == "replay":
            print("\t\t[[ $cur == -* ]] || { COMPREPLY=($(compgen -f -- \"$cur\")); return; }")
        print("\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;" % " ".join(sorted(options)))
    print("\tesac\n}\ncomplete -o bashdefault -o default -F _pytrail pytrail")


def zsh(table, words):
    print("#compdef pytrail\n# made by scripts/packaging/gen-completions.py from `pytrail help`\n"
          "_pytrail() {\n\tlocal -a commands\n\tcommands=(")
    for name, (summary, _) in table.items():
        print("\t\t'%s:%s'" % (name, summary.replace("'", "'\\''").replace(":", "\\:")))
    print("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
          "\tcase $words[2] in")
    for name, (_, options) in table.items():
        print("\t%s)\n\t\t_arguments -s \\" % name)
        for option in sorted(options.values(), key=lambda o: o.long):
            argument = ""
            if option.argument:
                choices = words_of(option.long, words)
                action = "_files" if option.long in FILES else "(%s)" % choices if choices else ""
                argument = "%s:value:%s" % (":" if option.optional else "", action)
            equals = "=-" if option.optional else "=" if option.argument else ""
            print("\t\t\t'*%s%s%s' \\" % (option.long, equals, argument))
        rest = {"events": "(%s)" % words["--events"], "help": "(%s)" % " ".join(table)}
        print("\t\t\t'*:argument:%s' ;;" % rest.get(name, "_files"))
    print("\tesac\n}\n_pytrail \"$@\"")


def fish(table, words):
    print("# made by scripts/packaging/gen-completions.py from `pytrail help`\ncomplete -c pytrail -f")
    for name, (summary, options) in table.items():
        print("complete -c pytrail -n __fish_use_subcommand -a %s -d '%s'"
              % (name, summary.replace("'", "\\'")))
        for option in sorted(options.values(), key=lambda o: o.long):
            line = "complete -c pytrail -n '__fish_seen_subcommand_from %s' -l %s" % (
                name, option.long[2:])
            if option.short:
                line += " -s %s" % option.short[1]
            if option.argument and not option.optional:
                line += " -r"
            if option.long in FILES:
                line += " -F"
            elif words_of(option.long, words):
                line += " -a '%s'" % words_of(option.long, words)
            print(line)
    print("complete -c pytrail -n '__fish_seen_subcommand_from events' -a '%s'" % words["--events"])
    print("complete -c pytrail -n '__fish_seen_subcommand_from help' -a '%s'" % " ".join(table))
    print("complete -c pytrail -n '__fish_seen_subcommand_from replay trace' -F")


def main():
    shells = {"bash": bash, "zsh": zsh, "fish": fish}
    if len(sys.argv) != 3 or sys.argv[1] not in shells:
        sys.exit(__doc__)
    table = commands(sys.argv[2])
    words = {"--events": " ".join(a or b for a, b in events(sys.argv[2])),
             "--output": " ".join(formats(sys.argv[2]))}
    shells[sys.argv[1]](table, words)


if __name__ == "__main__":
    main()
