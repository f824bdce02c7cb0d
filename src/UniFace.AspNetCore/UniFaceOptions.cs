namespace UniFace.AspNetCore;

/// <summary>The recognition API in an application: model, gallery and limits. Bound to the configuration section "UniFace".</summary>
public sealed class UniFaceOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "UniFace";

    /// <summary>Model package: a folder, an .onnx file or the name of an installed model. Null for the installed default.</summary>
    public string? Package { get; set; }

    /// <summary>
    /// Gallery: a file, created if missing, or the address of a gallery on PostgreSQL. Null for the model's own gallery in <see cref="DataFolder"/>.
    /// </summary>
    public string? Gallery { get; set; }

    /// <summary>Key of an encrypted gallery; in the configuration 64 hexadecimal digits.</summary>
    public GalleryKey? GalleryKey { get; set; }

    /// <summary>Folder for everything that the API writes: the gallery and the audit log. Created if missing.</summary>
    public string DataFolder { get; set; } = "uniface-data";

    /// <summary>Face detector: a file or the name of an installed one. Null for the default one.</summary>
    public string? Detector { get; set; }

    /// <summary>The check that the main face of each photo must pass; null for none. Disposed with the application.</summary>
    public ILivenessCheck? Liveness { get; set; }

    /// <summary>Largest request in bytes.</summary>
    public long MaxRequestBytes { get; set; } = 16L << 20;

    /// <summary>Largest photo in pixels, read from its header before memory is allocated.</summary>
    public long MaxPixels { get; set; } = 32_000_000;

    /// <summary>Recognition requests in progress at once; further ones are refused with 503. One caller gets at most three quarters of them.</summary>
    public int MaxConcurrentRequests { get; set; } = 64;

    /// <summary>People whose newest photo was enrolled more than this many days ago are removed; null to keep everybody.</summary>
    public int? RetentionDays { get; set; }

    internal ServerOptions ToServerOptions() => new()
    {
        Package = Package,
        Gallery = Gallery,
        CreatesGallery = true,
        GalleryKey = GalleryKey,
        DataFolder = DataFolder,
        Detector = Detector,
        Liveness = Liveness,
        MaxRequestBytes = MaxRequestBytes,
        MaxPixels = MaxPixels,
        MaxConcurrentRequests = MaxConcurrentRequests,
        RetentionDays = RetentionDays,
    };
}
