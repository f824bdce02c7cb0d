using System.Buffers.Text;

namespace UniFace.AspNetCore.Security;

/// <summary>
/// The keys of a service, in keys.json of its data folder. A running service sees changes at once. While the file cannot be read, every key is refused and
/// the fault is logged once. Thread-safe; several processes may change the file.
/// </summary>
internal sealed partial class ApiKeyStore
{
    private const string Prefix = "ufk_", Remedy = "restore it from a copy, or delete it and create new keys";
    private const long MaxFileBytes = 4 << 20;

    private readonly string path;
    private readonly ILogger? log;
    private readonly Lock gate = new();
    private byte[]? seen;
    private IReadOnlyList<ApiKey> keys = [];
    private string? reported;

    /// <summary>Uses the keys of a data folder.</summary>
    /// <param name="dataFolder">The data folder.</param>
    /// <param name="log">Reports an unreadable file; null for nowhere.</param>
    public ApiKeyStore(string dataFolder, ILogger<ApiKeyStore>? log = null) => (path, this.log) = (Path.Combine(dataFolder, "keys.json"), log);

    /// <summary>All keys in order of creation, including revoked and expired ones.</summary>
    /// <exception cref="UniFaceException">The file cannot be read, is damaged, or has disappeared.</exception>
    public IReadOnlyList<ApiKey> All()
    {
        lock (gate)
        {
            try
            {
                // Read every time: the file is small, and neither time nor length reveals every change.
                byte[]? now = ReadFile();
                if (now is not null && (seen is null || !now.AsSpan().SequenceEqual(seen)))
                {
                    (keys, seen) = (Parse(now), now);
                }

                reported = null;
                return keys;
            }
            catch (UniFaceException e)
            {
                if (reported != e.Message && log is not null)
                {
                    LogRefused(log, e.Message);
                }

                reported = e.Message;
                throw;
            }
        }
    }

    /// <summary>Creates a key.</summary>
    /// <param name="name">Who or what it is for.</param>
    /// <param name="scopes">What it may do.</param>
    /// <param name="expires">When it expires; null for never.</param>
    /// <returns>The key as it is stored, and as its holder sends it; the latter cannot be shown again.</returns>
    /// <exception cref="UniFaceException">No name or no scope, or the file is damaged.</exception>
    public (ApiKey Key, string Secret) Create(string name, IReadOnlyList<Scope> scopes, DateTimeOffset? expires = null)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100 || scopes.Count == 0)
        {
            throw new UniFaceException("a key needs a name of at most 100 characters and at least one scope: read, enrol or admin.");
        }

        string secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        ApiKey key = new(id, name, [.. scopes.Distinct()], Hash(secret), DateTimeOffset.UtcNow, Expires: expires);
        DataFolder.Create(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using FileLock held = FileLock.AcquireFor(path);
        Save([.. All(), key]);

        return (key, $"{Prefix}{key.Id}_{secret}");
    }

    /// <summary>Revokes a key.</summary>
    /// <returns>False if no valid key has the id.</returns>
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
    /// Finds the key that was sent, valid or not (<see cref="ApiKey.WhyRefused"/>); null if it is unknown. Secrets are compared in constant time.
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
        byte[] expected = Encoding.ASCII.GetBytes(key?.Hash ?? new string('0', 64)), given = Encoding.ASCII.GetBytes(Hash(parts[1]));
        return CryptographicOperations.FixedTimeEquals(expected, given) ? key : null;
    }

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    // Null if the service never had keys.
    private byte[]? ReadFile()
    {
        try
        {
            if (Directory.Exists(path))
            {
                throw Damaged("a folder, expected the file of keys");
            }

            // Pipes and devices have the length 0; opening one would block.
            FileInfo file = new(path);
            long length = ((FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file).Length;
            return length == 0 ? throw Damaged("not a list of keys: it is empty, or not a regular file")
                : length <= MaxFileBytes ? File.ReadAllBytes(path)
                : throw Damaged("too long");
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
            List<ApiKey>? read = JsonSerializer.Deserialize(json, ApiKeyJson.Default.ListApiKey);
            return read?.All(k => k is { Id: not null, Name: not null, Scopes: not null, Hash.Length: 64 }) == true
                && read.DistinctBy(k => k.Id).Count() == read.Count ? read : throw Damaged("not a list of keys");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Damaged("not a list of keys: " + e.Message.TrimEnd('.'));
        }
    }

    private UniFaceException Damaged(string what) => new($"{path}: {what}; {Remedy}.");

    private void Save(List<ApiKey> changed) =>
        AtomicFile.WriteText(path, JsonSerializer.Serialize(changed, ApiKeyJson.Default.ListApiKey) + "\n", ownerOnly: true);

    [LoggerMessage(Level = LogLevel.Error, Message = "every API key is refused: {Why}")]
    private static partial void LogRefused(ILogger log, string why);
}
