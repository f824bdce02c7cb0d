namespace UniFace.Gallery;

/// <summary>
/// Another process moved the gallery to another model, restored it or changed its key since it was opened. It must be opened again before
/// anything can be enrolled or searched.
/// </summary>
#pragma warning disable RCS1194, CA1032 // Only galleries throw it.
public sealed class GalleryChangedException : UniFaceException
#pragma warning restore RCS1194, CA1032
{
    internal GalleryChangedException(string path, string change)
        : base($"{path}: the gallery was {change} since it was opened; open it again")
    {
    }
}
