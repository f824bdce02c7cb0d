using System.CommandLine;
using Spectre.Console;
using UniFace.Server.Security;

namespace UniFace.Cli.Commands;

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
        Command command = new("create", "Make a key. It is shown this once; what is kept is its hash.\nExample: uniface serve keys create --name desk --scopes read,enrol") { name, scopes, data };
        command.SetAction(async parsed =>
        {
            string folder = parsed.GetRequiredValue(data);
            Scope[] asked = [.. parsed.GetRequiredValue(scopes).SelectMany(s => s.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(ScopeOf)];
            (ApiKey key, string secret) = new ApiKeyStore(folder).Create(parsed.GetRequiredValue(name), asked);
            await AuditTrail.AddAsync(folder, "create key " + key.Id).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { id = key.Id, name = key.Name, scopes = key.Scopes, key = secret });
            }
            else
            {
                Console.Error.WriteLine($"key {key.Id} for {key.Name}, shown this once:");
                Console.WriteLine(secret);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Command List(Option<string> data)
    {
        Command command = new("list", "List the keys: id, name, scopes, since when.\nExample: uniface serve keys list") { data };
        command.SetAction(parsed =>
        {
            IReadOnlyList<ApiKey> keys = new ApiKeyStore(parsed.GetRequiredValue(data)).All();
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { keys = keys.Select(k => new { id = k.Id, name = k.Name, scopes = k.Scopes, created = k.Created, revoked = k.Revoked }) });
                return ExitCode.Success;
            }

            Table table = new() { Border = TableBorder.Rounded };
            table.AddColumns("id", "name", "scopes", "created", "revoked");
            foreach (ApiKey key in keys)
            {
                table.AddRow(key.Id, Output.Cell(key.Name), string.Join(", ", key.Scopes).ToLowerInvariant(), key.Created.ToString("u"), key.Revoked?.ToString("u") ?? "");
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
            bool revoked = new ApiKeyStore(folder).Revoke(given);
            if (revoked)
            {
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

    private static Scope ScopeOf(string text) => text switch
    {
        "read" => Scope.Read,
        "enrol" or "enroll" => Scope.Enrol,
        "admin" => Scope.Admin,
        _ => throw new UniFaceException($"--scopes {text}: expected read, enrol or admin."),
    };
}
