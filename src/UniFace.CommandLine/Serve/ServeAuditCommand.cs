using UniFace.AspNetCore.Audit;

namespace UniFace.CommandLine.Serve;

/// <summary>`uniface serve audit`: checks the audit log of a service.</summary>
internal static class ServeAuditCommand
{
    private const string Description = """
        Verify the hash chain of the audit log. Exit code 1: a line was changed, moved or removed.
        Example: uniface serve audit verify --noted 8f3a...
        """;

    public static Command Create(Option<string> data)
    {
        CliOption<string?> noted = new(
            "--noted",
            "A hash from an earlier check that was stored elsewhere. The log must still contain it, which proves that it was not truncated.",
            "HASH");
        Command verify = CliCommand.Create("verify", Description, [noted, data], (parsed, _) =>
        {
            AuditCheck check = AuditTrail.Verify(parsed.GetRequiredValue(data), parsed.GetValue(noted));
            bool intact = check.Fault is null;
            parsed.Print(new { whole = intact, check.Lines, last = check.LastHash, wrong = check.Fault, unfinished = check.HasPartialLine }, () =>
            {
                string unfinished = check.HasPartialLine ? "; the last line is incomplete because the service was killed, not because of tampering" : "";
                Console.WriteLine(intact
                    ? $"intact: {Plural.Format(check.Lines, "line")}, the last hash is {check.LastHash}{unfinished}"
                    : "NOT intact: " + check.Fault);
            });
            return intact;
        });
        return new Command("audit", "The audit log of a service: who did what, and when.") { verify };
    }
}
