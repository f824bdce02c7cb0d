using UniFace.Gallery;

namespace UniFace.Server;

/// <summary>What a service serves, where, and within which limits.</summary>
public sealed record ServerOptions
{
    /// <summary>The address without another: this machine only.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>Addresses to listen on; port 0 lets the system choose.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [DefaultUrl];

    /// <summary>Model package: folder, .onnx file or an installed model's name. Null for the installed default, else the demo's.</summary>
    public string? Package { get; init; }

    /// <summary>Gallery: a file, or the address of one on PostgreSQL. Null for one of the model in <see cref="DataFolder"/>, made where there is none.</summary>
    public string? Gallery { get; init; }

    /// <summary>The gallery's key, where it is encrypted.</summary>
    public GalleryKey? GalleryKey { get; init; }

    /// <summary>Folder of training runs, for the pages on them; it need not be there.</summary>
    public string Runs { get; init; } = "runs";

    /// <summary>Folder of all that the service itself writes. Made where it is missing.</summary>
    public string DataFolder { get; init; } = "uniface-data";

    /// <summary>Face detector's file; null for BlazeFace as setup installs it.</summary>
    public string? Detector { get; init; }

    /// <summary>Largest request in bytes.</summary>
    public long MaxRequestBytes { get; init; } = 16L << 20;

    /// <summary>Largest photo in pixels, told by its header before memory is taken.</summary>
    public long MaxPixels { get; init; } = 32_000_000;

    /// <summary>Recognition requests that may be under way at once, three quarters of them of one caller; more are refused with 503.</summary>
    public int MaxConcurrentRequests { get; init; } = 64;

    /// <summary>Requests a second that one address beyond this machine may make, or one key at it where a key is required, with as many at once as in two seconds; more are refused with 429.</summary>
    public int RequestsPerSecond { get; init; } = 50;

    /// <summary>How long a request may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>True: this machine's own requests need a key too, as behind a proxy.</summary>
    public bool RequireKey { get; init; }

    /// <summary>Size at which a file of the audit log is full and the next one begins.</summary>
    public long MaxAuditBytes { get; init; } = 64L << 20;

    /// <summary>People enrolled more days ago are removed; null to keep them.</summary>
    public int? RetentionDays { get; init; }
}
