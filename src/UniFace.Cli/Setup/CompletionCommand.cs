namespace UniFace.Cli.Setup;

/// <summary>`uniface completion`: prints a completion script for a shell. The suggestions come from the [suggest] directive.</summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "pwsh");
        string description = "Print a script that completes commands and options with the Tab key.\nExample: source <(uniface completion bash)";
        return CliCommand.Create("completion", description, [shell], (parsed, _) =>
        {
            Console.Write(EmbeddedText.Read($"completion.{parsed.GetRequiredValue(shell)}"));
        });
    }
}
