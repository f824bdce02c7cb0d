namespace UniFace.Faces;

/// <summary>
/// The format of a file, recognized by its first bytes and never by its name: supported images, unsupported images, and other files that
/// are often given by mistake.
/// </summary>
internal sealed class ImageFormat
{
    /// <summary>Number of bytes that <see cref="Detect"/> needs.</summary>
    public const int HeaderBytes = 512;

    /// <summary>The supported formats, for messages.</summary>
    public const string Expected = "JPEG, PNG, WebP, HEIC, AVIF, BMP or GIF";

    /// <summary>The supported formats whose decoding time is bounded by the header, for untrusted images.</summary>
    public const string ExpectedUntrusted = "JPEG, PNG, WebP, BMP or GIF";

    /// <summary>JPEG, and MPO (several JPEGs; the first is read).</summary>
    public static readonly ImageFormat Jpeg = new("JPEG", "a JPEG image", isRead: true);

    /// <summary>PNG, and APNG (the still image is read).</summary>
    public static readonly ImageFormat Png = new("PNG", "a PNG image", isRead: true);

    /// <summary>WebP (the first frame of an animation is read).</summary>
    public static readonly ImageFormat WebP = new("WebP", "a WebP image", isRead: true);

    /// <summary>Windows bitmap.</summary>
    public static readonly ImageFormat Bmp = new("BMP", "a BMP image", isRead: true);

    /// <summary>GIF (the first frame of an animation is read).</summary>
    public static readonly ImageFormat Gif = new("GIF", "a GIF image", isRead: true);

    /// <summary>HEIC, the format of iPhones.</summary>
    public static readonly ImageFormat Heic = new("HEIC", "a HEIC image", isRead: true);

    /// <summary>AVIF.</summary>
    public static readonly ImageFormat Avif = new("AVIF", "an AVIF image", isRead: true);

    /// <summary>An unknown format.</summary>
    public static readonly ImageFormat Unknown = new("unknown", "not an image of a known format");

    private static readonly ImageFormat Tiff = new("TIFF", "a TIFF image or a camera's raw file");
    private static readonly ImageFormat JpegXl = new("JPEG XL", "a JPEG XL image");
    private static readonly ImageFormat Jpeg2000 = new("JPEG 2000", "a JPEG 2000 image");
    private static readonly ImageFormat Raw = new("camera raw", "a camera's raw file");
    private static readonly ImageFormat Svg = new("SVG", "an SVG drawing");
    private static readonly ImageFormat Netpbm = new("Netpbm", "a Netpbm image (PBM, PGM, PPM)");
    private static readonly ImageFormat Hdr = new("HDR", "a high dynamic range image");
    private static readonly ImageFormat Video = new("video", "a video");
    private static readonly ImageFormat Html = new("HTML", "a web page");
    internal static readonly ImageFormat Zip = new("ZIP", "a ZIP archive");
    internal static readonly ImageFormat Gzip = new("gzip", "a gzip archive (.gz, .tgz)");
    internal static readonly ImageFormat Tar = new("tar", "a tar archive");
    internal static readonly ImageFormat Archive = new("archive", "a compressed archive (xz, bzip2, zstd, 7z or rar)");

    // The bytes are in Latin-1.
    private static readonly (int Offset, string Bytes, ImageFormat Format)[] Signatures =
    [
        (0, "\u00FF\u00D8\u00FF", Jpeg),
        (0, "\u0089PNG\r\n\u001A\n", Png),
        (8, "WEBP", WebP),
        (0, "GIF87a", Gif),
        (0, "GIF89a", Gif),
        (0, "FUJIFILMCCD-RAW", Raw),
        (8, "CR\u0002\0", Raw),
        (0, "IIRO", Raw),
        (0, "IIU\0", Raw),
        (0, "II*\0", Tiff),
        (0, "MM\0*", Tiff),
        (0, "II+\0", Tiff),
        (0, "MM\0+", Tiff),
        (0, "\u00FF\n", JpegXl),
        (0, "\0\0\0\u000CJXL ", JpegXl),
        (0, "\0\0\0\u000CjP  ", Jpeg2000),
        (0, "\u00FFO\u00FFQ", Jpeg2000),
        (0, "8BPS", new("PSD", "a Photoshop file")),
        (0, "\0\0\u0001\0", new("icon", "a Windows icon")),
        (0, "v/1\u0001", Hdr),
        (0, "#?RADIANCE", Hdr),
        (0, "\u001AE\u00DF\u00A3", Video),
        (8, "AVI ", Video),
        (0, "%PDF-", new("PDF", "a PDF document")),
        (0, "%!PS", new("PostScript", "a PostScript document")),
        (0, "data:", new("data URL", "a data URL (Base64 text) and not the image's bytes")),
        (0, "version https://git-lfs", new("Git LFS pointer", "a Git LFS pointer and not the image itself; get it by 'git lfs pull'")),
        (0, "PK\u0003\u0004", Zip),
        (0, "\u001F\u008B", Gzip),
        (257, "ustar", Tar),
        (0, "\u00FD7zXZ\0", Archive),
        (0, "BZh", Archive),
        (0, "(\u00B5/\u00FD", Archive),
        (0, "7z\u00BC\u00AF", Archive),
        (0, "Rar!\u001A", Archive),
    ];

    private ImageFormat(string name, string description, bool isRead = false)
    {
        Name = name;
        Description = description;
        IsRead = isRead;
    }

    /// <summary>The short name, e.g. "HEIC", for counts and tables.</summary>
    public string Name { get; }

    /// <summary>With its article, e.g. "a HEIC image", to complete "FILE is ...".</summary>
    public string Description { get; }

    /// <summary>Whether the decoder supports it.</summary>
    public bool IsRead { get; }

    /// <summary>Recognizes a format by the first <see cref="HeaderBytes"/> bytes of a file, or all of a shorter one.</summary>
    public static ImageFormat Detect(ReadOnlySpan<byte> start)
    {
        string text = Encoding.Latin1.GetString(start[..Math.Min(start.Length, HeaderBytes)]);
        if (Signatures.FirstOrDefault(s => text.AsSpan(Math.Min(s.Offset, text.Length)).StartsWith(s.Bytes)).Format is ImageFormat known)
        {
            return known;
        }

        if (start.Length >= 12 && start[4..8].SequenceEqual("ftyp"u8))
        {
            return DetectBrand(start);
        }

        if (start.Length >= 18 && start.StartsWith("BM"u8) && start[14] is 12 or 40 or 52 or 56 or 64 or 108 or 124 && start[15] == 0)
        {
            return Bmp;
        }

        return start.Length >= 3 && start[0] == 'P' && start[1] is >= (byte)'1' and <= (byte)'7' && start[2] is (byte)'\n' or (byte)' ' or (byte)'\r'
            ? Netpbm
            : DetectText(text);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    // ISO/IEC 14496-12: the box ftyp holds the major brand, a version and the compatible brands.
    private static ImageFormat DetectBrand(ReadOnlySpan<byte> start)
    {
        int end = Math.Min(start.Length, Math.Max(16, (start[2] << 8) | start[3]));
        bool still = false;
        for (int at = 8; at + 4 <= end; at += at == 8 ? 8 : 4)
        {
            ReadOnlySpan<byte> brand = start.Slice(at, 4);
            if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8))
            {
                return Avif;
            }

            if (brand.SequenceEqual("crx "u8))
            {
                return Raw;
            }

            still |= brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8);
        }

        return still ? Heic : Video;
    }

    private static ImageFormat DetectText(string text)
    {
        text = text.TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        bool markup = text.StartsWith('<');
        return markup && text.Contains("<svg", StringComparison.OrdinalIgnoreCase) ? Svg
            : markup && (text.Contains("<html", StringComparison.OrdinalIgnoreCase)
                || text.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase)) ? Html
            : Unknown;
    }
}
