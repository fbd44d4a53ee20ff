#compdef inv
# Completion of scripts/inv for zsh: tasks, flags, configs, queues, patches, stages, wheels.

_inv() {
    local -a lines
    lines=("${(@f)$("${words[1]}" --complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -S '' -- ${(M)lines:#*/}
    compadd -- ${lines:#*/}
}

# As a file of fpath this is the function itself when it is called first; else it is sourced.
if [[ ${funcstack[1]} == _inv ]]; then
    _inv "$@"
else
    compdef _inv inv
fi
