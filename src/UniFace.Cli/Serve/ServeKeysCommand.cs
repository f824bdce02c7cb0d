using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Cli.Terminal;
using UniFace.Server.Security;

namespace UniFace.Cli.Serve;

/// <summary>uniface serve keys: API keys of a service, by its data folder.</summary>
internal static class ServeKeysCommand
{
    public static Command Create(Option<string> data) => new("keys", "API keys of a service. One that runs sees every change at once.\nExample: uniface serve keys create --name door --scopes read")
    {
        Make(data),
        List(data),
        Revoke(data),
    };

    private static Command Make(Option<string> data)
    {
        Option<string> name = new("--name") { Description = "Who or what the key is for.", HelpName = "NAME", Required = true };
        Option<string[]> scopes = new("--scopes") { Description = "What it may do: read (detect, align, embed, verify, identify, see who is enrolled), enrol, admin (all of it, and delete and export).", HelpName = "read|enrol|admin", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<string?> expires = new("--expires")
        {
            Description = "When it stops working: after so many days (90d), or at the start of a day in UTC (2027-06-30). Without it, when it is revoked.",
            HelpName = "DAYSd|DATE",
        };
        Command command = new(
            "create",
            "Make a key. It is shown this once; what is kept is its hash.\nExample: uniface serve keys create --name desk --scopes read,enrol --expires 90d")
        {
            name, scopes, expires, data,
        };
        command.SetAction(async parsed =>
        {
            string folder = parsed.GetRequiredValue(data);
            Scope[] asked = [.. parsed.GetRequiredValue(scopes).SelectMany(s => s.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(ScopeOf)];
            DateTimeOffset? end = parsed.GetValue(expires) is string text ? EndOf(text) : null;
            await AuditTrail.AddAsync(folder, "create key: begins").ConfigureAwait(false); // a kill may cut it short
            (ApiKey key, string secret) = new ApiKeyStore(folder).Create(parsed.GetRequiredValue(name), asked, end);
            await AuditTrail.AddAsync(folder, "create key " + key.Id).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { id = key.Id, name = key.Name, scopes = key.Scopes, expires = key.Expires, key = secret });
            }
            else
            {
                Console.Error.WriteLine($"key {key.Id} for {key.Name}{(key.Expires is null ? "" : $", until {key.Expires:u}")}, shown this once:");
                Console.WriteLine(secret);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Command List(Option<string> data)
    {
        Command command = new("list", "List the keys: id, name, scopes, since when, until when.\nExample: uniface serve keys list") { data };
        command.SetAction(parsed =>
        {
            IReadOnlyList<ApiKey> keys = new ApiKeyStore(parsed.GetRequiredValue(data)).All();
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    keys = keys.Select(k => new { id = k.Id, name = k.Name, scopes = k.Scopes, created = k.Created, expires = k.Expires, revoked = k.Revoked }),
                });
                return ExitCode.Success;
            }

            Table table = new() { Border = TableBorder.Rounded };
            table.AddColumns("id", "name", "scopes", "created", "expires", "revoked");
            foreach (ApiKey key in keys)
            {
                string scopes = string.Join(", ", key.Scopes).ToLowerInvariant();
                table.AddRow(key.Id, Output.Cell(key.Name), scopes, $"{key.Created:u}", $"{key.Expires:u}", $"{key.Revoked:u}");
            }

            AnsiConsole.Write(table);
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Revoke(Option<string> data)
    {
        Argument<string> id = new("ID") { Description = "A key's id, as 'list' shows it." };
        Command command = new("revoke", "Make a key worthless, at once. Exit code 1 where no working key has the id.\nExample: uniface serve keys revoke 0123456789ab") { id, data };
        command.SetAction(async parsed =>
        {
            string folder = parsed.GetRequiredValue(data), given = parsed.GetRequiredValue(id);
            ApiKeyStore store = new(folder);
            bool revoked = store.All().Any(k => k.Id == given && k.Revoked is null);
            if (revoked)
            {
                await AuditTrail.AddAsync(folder, $"revoke key {given}: begins").ConfigureAwait(false);
                revoked = store.Revoke(given);
                await AuditTrail.AddAsync(folder, "revoke key " + given).ConfigureAwait(false);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { id = given, revoked });
            }
            else
            {
                Console.WriteLine(revoked ? $"revoked: {given}" : $"no working key: {given}");
            }

            return revoked ? ExitCode.Success : ExitCode.Negative;
        });
        return command;
    }

    private static DateTimeOffset EndOf(string text)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        DateTimeOffset? end = text.EndsWith('d') && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days <= 36_500
            ? now.AddDays(days)
            : DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset day) ? day
            : null;
        return end > now
            ? end.Value
            : throw new UniFaceException($"--expires {text}: expected 1d to 36500d, or a day to come, e.g. {now.AddDays(90):yyyy-MM-dd}.");
    }

    private static Scope ScopeOf(string text) => text switch
    {
        "read" => Scope.Read,
        "enrol" or "enroll" => Scope.Enrol,
        "admin" => Scope.Admin,
        _ => throw new UniFaceException($"--scopes {text}: expected read, enrol or admin."),
    };
}
