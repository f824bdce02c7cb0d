using System.CommandLine;
using UniFace.Server.Security;

namespace UniFace.Cli.Commands;

/// <summary>uniface serve audit: the log of who did what, when.</summary>
internal static class ServeAuditCommand
{
    public static Command Create(Option<string> data)
    {
        Option<string?> noted = new("--noted") { Description = "A hash that an earlier check gave and somebody noted elsewhere: the log must still hold it, so its end was not cut off since.", HelpName = "HASH" };
        Command verify = new("verify", "Check that nothing in the audit log was changed, moved or taken out. Exit code 1 where something was.\nExample: uniface serve audit verify --noted 8f3a...") { noted, data };
        verify.SetAction(parsed =>
        {
            AuditCheck check = AuditTrail.Verify(parsed.GetRequiredValue(data), parsed.GetValue(noted));
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { whole = check.Wrong is null, lines = check.Lines, last = check.Last, wrong = check.Wrong, unfinished = check.Unfinished });
            }
            else
            {
                Console.WriteLine(check.Wrong is null ? $"whole: {Plural.Format(check.Lines, "line")}, the last one's hash is {check.Last}{(check.Unfinished ? "; after it a line that a kill cut short: unfinished, not tampered with" : "")}" : "NOT whole: " + check.Wrong);
            }

            return check.Wrong is null ? ExitCode.Success : ExitCode.Negative;
        });
        return new Command("audit", "The audit log of a service: who did what, when.") { verify };
    }
}
