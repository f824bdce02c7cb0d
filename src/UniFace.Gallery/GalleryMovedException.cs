namespace UniFace.Gallery;

/// <summary>
/// The inner exception of the <see cref="UniFaceException"/> that a gallery throws if another process moved it to another model, restored it or gave it
/// another key since it was opened. Nothing can be enrolled or searched until it is opened again.
/// </summary>
#pragma warning disable RCS1194, CA1032 // It says only that.
public sealed class GalleryMovedException : Exception
#pragma warning restore RCS1194, CA1032
{
    private GalleryMovedException(string message)
        : base(message)
    {
    }

    internal static UniFaceException Of(string path, string how)
    {
        string message = $"{path}: the gallery was {how} meanwhile; open it again.";
        return new(message, new GalleryMovedException(message));
    }
}
