using UniFace.AspNetCore.Audit;

namespace UniFace.Cli.Serve;

/// <summary>`uniface serve audit`: checks the audit log of a service.</summary>
internal static class ServeAuditCommand
{
    private const string Description = """
        Check that nothing in the audit log was changed, moved or removed. Exit code 1: something was.
        Example: uniface serve audit verify --noted 8f3a...
        """;

    public static Command Create(Option<string> data)
    {
        CliOption<string?> noted = new(
            "--noted",
            "A hash from an earlier check that was stored elsewhere. The log must still contain it, which shows that its end was not cut off.",
            "HASH");
        Command verify = CliCommand.Create("verify", Description, [noted, data], (parsed, _) =>
        {
            AuditCheck check = AuditTrail.Verify(parsed.GetRequiredValue(data), parsed.GetValue(noted));
            bool whole = check.Wrong is null;
            parsed.Print(new { whole, check.Lines, check.Last, check.Wrong, check.Unfinished }, () =>
            {
                string unfinished = check.Unfinished ? "; the last line is incomplete because the service was killed, not because of tampering" : "";
                Console.WriteLine(whole
                    ? $"intact: {Plural.Format(check.Lines, "line")}, the last hash is {check.Last}{unfinished}"
                    : "NOT intact: " + check.Wrong);
            });
            return whole;
        });
        return new Command("audit", "The audit log of a service: who did what, and when.") { verify };
    }
}
