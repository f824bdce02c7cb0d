using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Server.Security;

/// <summary>
/// The keys of a service, in keys.json of its data folder. A running service sees at once what the command line changes; a file that it
/// cannot read opens nothing, and is logged once. Thread-safe, and several processes may change it.
/// </summary>
public sealed partial class ApiKeyStore
{
    private const string Prefix = "ufk_", Remedy = "restore it from a copy, or delete it and make new keys";
    private const long MaxFileBytes = 4 << 20;

    private readonly string path;
    private readonly ILogger? log;
    private readonly Lock gate = new();
    private byte[]? seen;
    private IReadOnlyList<ApiKey> keys = [];
    private string? trouble;

    /// <summary>The keys of a data folder.</summary>
    /// <param name="dataFolder">The data folder.</param>
    /// <param name="log">Where a file that cannot be read is logged; null for nowhere.</param>
    public ApiKeyStore(string dataFolder, ILogger<ApiKeyStore>? log = null) => (path, this.log) = (Path.Combine(dataFolder, "keys.json"), log);

    /// <summary>All keys, revoked and expired ones too, in the order of their making.</summary>
    /// <exception cref="UniFaceException">The file cannot be read, is damaged, or disappeared since it was read.</exception>
    public IReadOnlyList<ApiKey> All()
    {
        lock (gate)
        {
            try
            {
                // Read every time: the file is small, and neither its time nor its length shows every change.
                byte[]? now = ReadFile();
                if (now is not null && (seen is null || !now.AsSpan().SequenceEqual(seen)))
                {
                    (keys, seen) = (Parse(now), now);
                }

                trouble = null;
                return keys;
            }
            catch (UniFaceException e)
            {
                if (trouble != e.Message && log is not null)
                {
                    Refused(log, e.Message);
                }

                trouble = e.Message;
                throw;
            }
        }
    }

    /// <summary>Makes a key.</summary>
    /// <param name="name">Who or what it is for.</param>
    /// <param name="scopes">What it may do.</param>
    /// <param name="expires">From when on it is refused; null for never.</param>
    /// <returns>The key as it is stored, and as its holder sends it: shown this once.</returns>
    /// <exception cref="UniFaceException">No name or no scope, or the file is damaged.</exception>
    public (ApiKey Key, string Secret) Create(string name, IReadOnlyList<Scope> scopes, DateTimeOffset? expires = null)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100 || scopes.Count == 0)
        {
            throw new UniFaceException("a key has a name of at most 100 characters, who or what it is for, and at least one scope: read, enrol or admin.");
        }

        string secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        ApiKey key = new(id, name, [.. scopes.Distinct()], HashOf(secret), DateTimeOffset.UtcNow, Expires: expires);
        DataFolder.Make(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using FileLock held = FileLock.AcquireFor(path);
        Save([.. All(), key]);

        return (key, $"{Prefix}{key.Id}_{secret}");
    }

    /// <summary>Revokes a key.</summary>
    /// <returns>False where no working key has the id.</returns>
    public bool Revoke(string id)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using FileLock held = FileLock.AcquireFor(path);
        IReadOnlyList<ApiKey> all = All();
        if (!all.Any(k => k.Id == id && k.Revoked is null))
        {
            return false;
        }

        Save([.. all.Select(k => k.Id == id ? k with { Revoked = DateTimeOffset.UtcNow } : k)]);
        return true;
    }

    /// <summary>
    /// The key that was sent, working or not (<see cref="ApiKey.WhyRefused"/>); null where it is none. Takes the same time whatever is wrong with its secret.
    /// </summary>
    /// <exception cref="UniFaceException">The file cannot be read.</exception>
    public ApiKey? Find(string sent)
    {
        ArgumentNullException.ThrowIfNull(sent);
        string[] parts = sent.StartsWith(Prefix, StringComparison.Ordinal) ? sent[Prefix.Length..].Split('_', 2) : [];
        if (parts.Length != 2)
        {
            return null;
        }

        ApiKey? key = All().FirstOrDefault(k => k.Id == parts[0]);
        byte[] expected = Encoding.ASCII.GetBytes(key?.Hash ?? new string('0', 64)), given = Encoding.ASCII.GetBytes(HashOf(parts[1]));
        return CryptographicOperations.FixedTimeEquals(expected, given) ? key : null;
    }

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    // Null for a service that never had keys.
    private byte[]? ReadFile()
    {
        try
        {
            FileInfo file = new(path);
            if (Directory.Exists(path))
            {
                throw Damaged("a folder, expected the file of keys");
            }

            return file.Length <= MaxFileBytes ? File.ReadAllBytes(path) : throw Damaged("too long");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return seen is null ? null : throw Damaged("no longer there");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Damaged("cannot be read: " + e.Message.TrimEnd('.'));
        }
    }

    private List<ApiKey> Parse(byte[] json)
    {
        try
        {
            List<ApiKey>? read = JsonSerializer.Deserialize<List<ApiKey>>(json, ModelManifest.Json);
            bool good = read is not null && read.All(k => k is { Id: not null, Name: not null, Scopes: not null, Hash.Length: 64 });
            return good && read!.DistinctBy(k => k.Id).Count() == read!.Count ? read : throw Damaged("not a list of keys");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Damaged("not a list of keys: " + e.Message.TrimEnd('.'));
        }
    }

    private UniFaceException Damaged(string what) => new($"{path}: {what}; {Remedy}.");

    private void Save(IReadOnlyList<ApiKey> changed) =>
        AtomicFile.WriteText(path, JsonSerializer.Serialize(changed, ModelManifest.Json) + "\n", ownerOnly: true);

    [LoggerMessage(Level = LogLevel.Error, Message = "every API key is refused: {Why}")]
    private static partial void Refused(ILogger log, string why);
}
