using UniFace.AspNetCore.Audit;
using UniFace.AspNetCore.Security;

namespace UniFace.CommandLine.Serve;

/// <summary>`uniface serve keys`: manages the API keys in a service's data folder.</summary>
internal static class ServeKeysCommand
{
    public static Command Create(Option<string> data) => new(
        "keys",
        "Manage the API keys of a service. A running service applies changes immediately.\nExample: uniface serve keys create --name door --scopes read")
    {
        KeyCreateCommand(data),
        KeyListCommand(data),
        KeyRevokeCommand(data),
    };

    private static Command KeyCreateCommand(Option<string> data)
    {
        const string Description = """
            Create a key. It is shown only now; the service stores its hash.
            Example: uniface serve keys create --name desk --scopes read,enrol --expires 90d
            """;
        CliOption<string> name = new("--name", "Who or what the key is for.", "NAME") { Required = true };
        CliOption<string[]> scopes = new(
            "--scopes",
            "What the key allows: read (detect, align, embed, verify, identify, list people), enrol, admin (everything, including delete and export).",
            "read|enrol|admin")
        {
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        CliOption<string?> expires = new(
            "--expires", "When the key expires: after a number of days (90d), or at the start of a day in UTC (2027-06-30). Default: never.", "DAYSd|DATE");
        return CliCommand.Create("create", Description, [name, scopes, expires, data], async (parsed, _) =>
        {
            string folder = parsed.GetRequiredValue(data);
            const StringSplitOptions Split = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
            Scope[] asked = [.. parsed.GetRequiredValue(scopes).SelectMany(s => s.Split(',', Split)).Select(ParseScope)];
            DateTimeOffset? end = parsed.GetValue(expires) is string text ? ParseExpiry(text) : null;
            await AuditTrail.AddAsync(folder, "create key: begins"); // The command may be killed before the next entry.
            (ApiKey key, string secret) = new ApiKeyStore(folder).Create(parsed.GetRequiredValue(name), asked, end);
            await AuditTrail.AddAsync(folder, "create key " + key.Id);
            parsed.Print(new { key.Id, key.Name, key.Scopes, key.Expires, key = secret }, () =>
            {
                Console.Error.WriteLine($"key {key.Id} for {key.Name}{(key.Expires is null ? "" : $", until {key.Expires:u}")}, shown only now:");
                Console.WriteLine(secret);
            });
        });
    }

    private static Command KeyListCommand(Option<string> data) => CliCommand.Create(
        "list",
        "List the keys: id, name, scopes, dates of creation, expiry and revocation.\nExample: uniface serve keys list",
        [data],
        (parsed, _) =>
        {
            IReadOnlyList<ApiKey> keys = new ApiKeyStore(parsed.GetRequiredValue(data)).All();
            parsed.Print(
                new { keys = keys.Select(k => new { k.Id, k.Name, k.Scopes, k.Created, k.Expires, k.Revoked }) },
                ["id", "name", "scopes", "created", "expires", "revoked"],
                keys.Select(k => (object[])
                [
                    k.Id, k.Name, string.Join(", ", k.Scopes).ToLowerInvariant(), $"{k.Created:u}", $"{k.Expires:u}", $"{k.Revoked:u}",
                ]));
        });

    private static Command KeyRevokeCommand(Option<string> data)
    {
        Argument<string> id = new("ID") { Description = "The key's id, from 'uniface serve keys list'." };
        string description = "Revoke a key immediately. Exit code 1: no valid key has this id.\nExample: uniface serve keys revoke 0123456789ab";
        return CliCommand.Create("revoke", description, [id, data], async (parsed, _) =>
        {
            string folder = parsed.GetRequiredValue(data), given = parsed.GetRequiredValue(id);
            ApiKeyStore store = new(folder);
            bool revoked = store.All().Any(k => k.Id == given && k.Revoked is null);
            if (revoked)
            {
                await AuditTrail.AddAsync(folder, $"revoke key {given}: begins");
                revoked = store.Revoke(given);
                await AuditTrail.AddAsync(folder, "revoke key " + given);
            }

            parsed.Print(new { id = given, revoked }, revoked ? $"revoked: {given}" : $"no valid key: {given}");
            return revoked;
        });
    }

    private static DateTimeOffset ParseExpiry(string text)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        DateTimeOffset? end = text.EndsWith('d') && int.TryParse(text[..^1], NumberStyles.None, invariant, out int days) && days <= 36_500
            ? now.AddDays(days)
            : DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", invariant, DateTimeStyles.AssumeUniversal, out DateTimeOffset day) ? day
            : null;
        return end > now
            ? end.Value
            : throw new UniFaceException($"--expires {text}: expected 1d to 36500d, or a future day, e.g. {now.AddDays(90):yyyy-MM-dd}.");
    }

    private static Scope ParseScope(string text) => text switch
    {
        "read" => Scope.Read,
        ScopeNames.Enroll or "enroll" => Scope.Enroll,
        "admin" => Scope.Admin,
        _ => throw new UniFaceException($"--scopes {text}: expected read, enrol or admin."),
    };
}
