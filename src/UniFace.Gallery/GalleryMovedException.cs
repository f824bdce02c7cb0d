namespace UniFace.Gallery;

/// <summary>
/// The inner exception of the <see cref="UniFaceException"/> that a gallery throws if another process moved it to another model, restored it or
/// changed its key since it was opened. It must be opened again before anything can be enrolled or searched.
/// </summary>
#pragma warning disable RCS1194, CA1032 // Only galleries throw it.
public sealed class GalleryMovedException : Exception
#pragma warning restore RCS1194, CA1032
{
    private GalleryMovedException(string message)
        : base(message)
    {
    }

    internal static UniFaceException Create(string path, string change)
    {
        string message = $"{path}: the gallery was {change} meanwhile; open it again.";
        return new(message, new GalleryMovedException(message));
    }
}
