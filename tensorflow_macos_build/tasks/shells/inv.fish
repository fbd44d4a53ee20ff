# Completion of scripts/inv for fish: tasks, flags, configs, queues, patches, stages, wheels.

function __inv_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    $words[1] --complete -- $words[2..] (commandline --current-token --cut-at-cursor) 2>/dev/null
end

complete --command inv --no-files --arguments '(__inv_complete)'
