namespace UniFace.Cli.Losses;

/// <summary>`uniface loss`: lists the losses, and checks them against reference values.</summary>
internal static class LossCommand
{
    public static Command Create() => new("loss", "List the losses, or check them against reference values.\nExample: uniface loss list uce")
    {
        LossCheckCommand.Create(),
        LossListCommand.Create(),
    };
}
