using UniFace.Vision.Quality;

namespace UniFace.AspNetCore.Endpoints;

/// <summary>Values for the examples in the API's description.</summary>
internal static class Examples
{
    /// <summary>A contract id.</summary>
    public const string Contract = "0123456789abcdef0123456789abcdef";

    /// <summary>A SHA-256.</summary>
    public const string Sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    /// <summary>When something happened.</summary>
    public static DateTimeOffset Time { get; } = new(2026, 11, 24, 15, 0, 0, TimeSpan.Zero);

    /// <summary>A photo: the first bytes of a JPEG file.</summary>
    public static byte[] Photo => [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 74, 70, 73, 70];

    /// <summary>A face.</summary>
    public static FaceAnswer Face => new(
        new BoxAnswer(212, 96, 180, 180),
        0.93,
        [new(258, 160), new(330, 158), new(294, 202), new(264, 240), new(326, 238)],
        new FaceQuality(72, 0.31, 128, 46, -4, 2, -1),
        [],
        null);
}
