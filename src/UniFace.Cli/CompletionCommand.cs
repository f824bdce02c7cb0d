using System.CommandLine;
using UniFace.Cli.Terminal;

namespace UniFace.Cli;

/// <summary>`uniface completion`: prints a completion script for a shell. The suggestions come from the [suggest] directive.</summary>
internal static class CompletionCommand
{
    // Options are suggested only for words that begin with '-': otherwise they would hide the shell's completion of file names.
    private const string Bash = """
        _uniface() {
          local word="${COMP_WORDS[COMP_CWORD]}" suggestion
          COMPREPLY=()
          while IFS= read -r suggestion; do
            if [[ $suggestion == "$word"* && ( $word == -* || $suggestion != -* ) ]]; then COMPREPLY+=("$suggestion"); fi
          done < <("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
        }
        complete -o default -F _uniface uniface ./uniface
        """;

    private const string Zsh = """
        #compdef uniface
        _uniface() {
          local -a suggestions
          suggestions=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
          if [[ $PREFIX != -* ]]; then suggestions=("${(@)suggestions:#-*}"); fi
          suggestions=("${(@M)suggestions:#${PREFIX}?*}")
          if (( $#suggestions )); then compadd -- "${suggestions[@]}"; else _files; fi
        }
        compdef _uniface uniface ./uniface
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName uniface -ScriptBlock {
          param($word, $line, $position)
          uniface "[suggest:$position]" "$line" 2>$null | Where-Object { $_.StartsWith($word) -and ($word.StartsWith('-') -or -not $_.StartsWith('-')) } |
            ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    public static Command Create()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "pwsh");
        string description = "Print a script that completes commands and options with the Tab key.\nExample: source <(uniface completion bash)";
        return CliCommand.Create("completion", description, [shell], (parsed, _) =>
        {
            Console.WriteLine(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => PowerShell });
            return ExitCode.Success;
        });
    }
}
