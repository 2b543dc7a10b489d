# Completion of connexon-cli: commands and options as its help lists them.
_connexon_cli() {
    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words part=
    if [[ $command == retina && $COMP_CWORD -gt 2 ]]; then
        part=${COMP_WORDS[2]}
    fi
    compopt -o filenames
    if [[ $COMP_CWORD -eq 1 ]]; then
        words=$("$1" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$current")
    elif [[ $current == -* ]]; then
        words=$("$1" "$command" ${part:+"$part"} --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    elif [[ $command == retina && $COMP_CWORD -eq 2 ]]; then
        words=$("$1" "$command" --help 2>/dev/null | sed -n 's/^  \([a-z-]*\)  .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    elif [[ $command == edit && $COMP_CWORD -eq 3 ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'merge split note lock unlock paint fill interpolate grow shrink smooth detach neighbours cut revert annotate undo redo' -- "$current")
    elif [[ $command == bench && $COMP_CWORD -eq 2 ]]; then
        words=$("$1" bench --help 2>/dev/null | sed -n '1s/^connexon-cli bench \([^ ]*\).*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "${words//|/ }" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _connexon_cli connexon-cli
