using UniFace.Data;
using UniFace.Vision.Photos;

namespace UniFace.Vision;

/// <summary>What happened to the photos of a folder. The report names each photo that was left out, and why.</summary>
/// <param name="Photos">Photos found.</param>
/// <param name="Aligned">Photos of which a face was written.</param>
/// <param name="Existing">Photos whose face had been written before.</param>
/// <param name="NoFace">Photos without a face.</param>
/// <param name="TooSmall">Photos whose faces are all too small.</param>
/// <param name="Ambiguous">Photos left out because more than one face could be the main face.</param>
/// <param name="Unreadable">Files that are not readable images.</param>
/// <param name="Report">Path of the report, a JSON file.</param>
/// <param name="ContactSheet">Path of an image of the faces; null if none was drawn.</param>
public sealed record AlignmentResult(
    int Photos, int Aligned, int Existing, int NoFace, int TooSmall, int Ambiguous, int Unreadable, string Report, string? ContactSheet);

/// <summary>Turns photos into aligned faces, the input of models and training.</summary>
public static class FaceAligner
{
    /// <summary>
    /// Writes the aligned faces of the photos of a folder to another folder, under the same names, so that one folder per person stays one folder per
    /// person. A run that was stopped continues.
    /// </summary>
    /// <param name="photos">A folder, with any folders in it; a zip or tar file; or one photo.</param>
    /// <param name="output">The folder of the aligned faces; created if it does not exist.</param>
    /// <param name="options">How to align; null for the defaults.</param>
    /// <param name="progress">Receives the number of photos done, from several threads.</param>
    /// <param name="cancellationToken">Stops after the photos in progress; what is written stays.</param>
    /// <exception cref="UniFaceException">The photos or the output cannot be used, or there is no detector.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static AlignmentResult AlignFolder(
        string photos, string output, AlignOptions? options = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        using PhotoSet set = PhotoSet.Open(photos);
        int done = 0;
        AlignSummary summary = PhotoAligner.Align(
            set, output, options ?? new AlignOptions(), () => progress?.Report(Interlocked.Increment(ref done)), cancellationToken).Summary;
        cancellationToken.ThrowIfCancellationRequested();
        return new AlignmentResult(
            summary.Photos, summary.Aligned, summary.Existing, summary.NoFace, summary.TooSmall, summary.Ambiguous, summary.Unreadable,
            summary.Report, summary.ContactSheet);
    }

    /// <inheritdoc cref="AlignFolder"/>
    public static Task<AlignmentResult> AlignFolderAsync(
        string photos, string output, AlignOptions? options = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => AlignFolder(photos, output, options, progress, cancellationToken), CancellationToken.None);
}
