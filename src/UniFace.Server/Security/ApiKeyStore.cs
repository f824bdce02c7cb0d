using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Server.Security;

/// <summary>The keys of a service, in keys.json of its data folder. A running service sees at once what the command line changes. Thread-safe.</summary>
public sealed class ApiKeyStore
{
    private const string Prefix = "ufk_";
    private const long MaxFileBytes = 4 << 20;

    private readonly string path;
    private readonly Lock gate = new();
    private (DateTime Written, long Length) seen;
    private IReadOnlyList<ApiKey> keys = [];

    /// <summary>The keys of a data folder.</summary>
    public ApiKeyStore(string dataFolder) => path = Path.Combine(dataFolder, "keys.json");

    /// <summary>All keys, revoked ones too, in the order of their making.</summary>
    /// <exception cref="UniFaceException">The file is damaged.</exception>
    public IReadOnlyList<ApiKey> All()
    {
        lock (gate)
        {
            FileInfo file = new(path);
            if (!file.Exists)
            {
                return keys = [];
            }

            if (seen != (file.LastWriteTimeUtc, file.Length))
            {
                keys = Read(file);
                seen = (file.LastWriteTimeUtc, file.Length);
            }

            return keys;
        }
    }

    /// <summary>Makes a key.</summary>
    /// <param name="name">Who or what it is for.</param>
    /// <param name="scopes">What it may do.</param>
    /// <returns>The key as it is stored, and as its holder sends it: shown this once.</returns>
    /// <exception cref="UniFaceException">No name or no scope.</exception>
    public (ApiKey Key, string Secret) Create(string name, IReadOnlyList<Scope> scopes)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100 || scopes.Count == 0)
        {
            throw new UniFaceException("a key has a name of at most 100 characters, who or what it is for, and at least one scope: read, enrol or admin.");
        }

        string secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        ApiKey key = new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)), name, [.. scopes.Distinct()], HashOf(secret), DateTimeOffset.UtcNow);
        lock (gate)
        {
            Save([.. All(), key]);
        }

        return (key, $"{Prefix}{key.Id}_{secret}");
    }

    /// <summary>Revokes a key.</summary>
    /// <returns>False where no working key has the id.</returns>
    public bool Revoke(string id)
    {
        lock (gate)
        {
            if (!All().Any(k => k.Id == id && k.Revoked is null))
            {
                return false;
            }

            Save([.. All().Select(k => k.Id == id ? k with { Revoked = DateTimeOffset.UtcNow } : k)]);
            return true;
        }
    }

    /// <summary>The working key that was sent; null where it is none. Takes the same time whatever is wrong with its secret.</summary>
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
        return CryptographicOperations.FixedTimeEquals(expected, given) && key?.Revoked is null ? key : null;
    }

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static IReadOnlyList<ApiKey> Read(FileInfo file)
    {
        try
        {
            IReadOnlyList<ApiKey>? read = file.Length <= MaxFileBytes ? JsonSerializer.Deserialize<List<ApiKey>>(File.ReadAllBytes(file.FullName), ModelManifest.Json) : null;
            return read is not null && read.All(k => k is { Id: not null, Name: not null, Scopes: not null, Hash.Length: 64 })
                ? read
                : throw new UniFaceException($"{file.FullName}: not a list of keys; restore it from a copy, or delete it and make new keys.");
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{file.FullName}: not a list of keys: {e.Message}", e);
        }
    }

    private void Save(IReadOnlyList<ApiKey> changed)
    {
        DataFolder.Make(Path.GetDirectoryName(Path.GetFullPath(path))!);
        AtomicFile.WriteText(path, JsonSerializer.Serialize(changed, ModelManifest.Json) + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }
}
