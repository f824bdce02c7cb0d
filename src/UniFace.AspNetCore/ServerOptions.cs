namespace UniFace.AspNetCore;

/// <summary>Options of a recognition service: model, gallery, addresses and limits.</summary>
internal sealed record ServerOptions
{
    /// <summary>The default address: this machine only.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>Addresses to listen on; port 0 lets the system choose.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [DefaultUrl];

    /// <summary>Model package: a folder, an .onnx file or the name of an installed model. Null for the installed default.</summary>
    public string? Package { get; init; }

    /// <summary>
    /// Gallery: a file, or the address of a gallery on PostgreSQL. Null for the model's own gallery in <see cref="DataFolder"/>, created if missing.
    /// </summary>
    public string? Gallery { get; init; }

    /// <summary>Creates the file of <see cref="Gallery"/> if it is missing; otherwise that is an error.</summary>
    public bool CreatesGallery { get; init; }

    /// <summary>Key of an encrypted gallery.</summary>
    public GalleryKey? GalleryKey { get; init; }

    /// <summary>Folder for everything that the service writes. Created if missing.</summary>
    public string DataFolder { get; init; } = "uniface-data";

    /// <summary>Face detector file; null for the default one that setup installs.</summary>
    public string? Detector { get; init; }

    /// <summary>The check that the main face of each photo must pass; null for none, as in UniFace itself. Disposed with the service.</summary>
    public ILivenessCheck? Liveness { get; init; }

    /// <summary>Largest request in bytes.</summary>
    public long MaxRequestBytes { get; init; } = 16L << 20;

    /// <summary>Largest photo in pixels, read from its header before memory is allocated.</summary>
    public long MaxPixels { get; init; } = 32_000_000;

    /// <summary>Recognition requests in progress at once; further ones are refused with 503. One caller gets at most three quarters of them.</summary>
    public int MaxConcurrentRequests { get; init; } = 64;

    /// <summary>
    /// Requests per second from one remote address, or from one key on this machine if keys are required; others are refused with 429.
    /// Burst size: two seconds' worth of requests.
    /// </summary>
    public int RequestsPerSecond { get; init; } = 50;

    /// <summary>How long a request may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests from this machine need a key too, as is necessary behind a proxy.</summary>
    public bool RequireKey { get; init; }

    /// <summary>Size in bytes at which the audit log starts a new file.</summary>
    public long MaxAuditBytes { get; init; } = 64L << 20;

    /// <summary>People whose newest photo was enrolled more than this many days ago are removed; null to keep everybody.</summary>
    public int? RetentionDays { get; init; }
}
