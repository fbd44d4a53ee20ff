# Completion of scripts/inv for bash: tasks, flags, configs, queues, patches, stages, wheels.

_inv() {
    local IFS=$' \t\n' words current last prefix line
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:blank:]] ]] && words+=("")
    current=${words[${#words[@]}-1]}
    # bash also parts words at `=` and `:`, and replaces the last part only.
    last=${COMP_WORDS[COMP_CWORD]}
    [[ $last == [:=] ]] && last=
    prefix=${current%"$last"}
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line#"$prefix"}")
    done < <("$1" --complete -- "${words[@]:1}" 2>/dev/null)
    # bash 3.2, a Mac's own, has no compopt.
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && type compopt >/dev/null 2>&1; then
        compopt -o nospace
    fi
}

complete -F _inv inv
