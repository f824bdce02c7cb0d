using UniFace.Data.RecordIO;

namespace UniFace.Data;

/// <summary>
/// An MXNet list (.lst): lines "INDEX TAB LABEL TAB PATH". Paths are relative to the list's folder; of several labels the first is the
/// person. People are numbered in the order of their labels and named by them.
/// </summary>
internal sealed class ImageListDataset : FaceDataset
{
    private readonly string folder;
    private readonly string[] names;

    /// <summary>Reads a list.</summary>
    /// <exception cref="UniFaceException">A line is not as expected; the message names it.</exception>
    public ImageListDataset(string path)
    {
        Source = path;
        folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        List<(string Name, int Label)> images = [];
        foreach ((int number, string text) in FileSegment.ReadLines(path))
        {
            string[] fields = text.Split('\t', StringSplitOptions.TrimEntries);
            images.Add(fields.Length >= 3 && fields[^1].Length > 0 && !fields[^1].Contains('\0') && LabelPeople.TryParse(fields[1], out int label)
                ? (fields[^1].Replace('\\', '/'), label)
                : throw new UniFaceException(
                    $"{path}: line {number} is '{text.Shorten(80)}', " +
                    "expected INDEX TAB LABEL TAB PATH with a whole label of 0 or more"));
        }

        if (images.Count == 0)
        {
            throw new UniFaceException($"{path} is empty; expected lines INDEX TAB LABEL TAB PATH");
        }

        LabelPeople people = new(images.Select(image => image.Label));
        People = people.Names;
        int[] labels = [.. images.Select(image => people.IndexOf(image.Label))];
        names = [.. images.Select(image => image.Name)];
        Samples = new SampleList(names.Length, i => labels[i], i => names[i]);
        Warnings = people.Warnings;
    }

    /// <inheritdoc/>
    public override byte[] Read(int index) => PhotoSet.ReadFile(Path.Combine(folder, names[index]));

    /// <inheritdoc/>
    public override long SizeOf(int index) => PhotoSet.SizeOfFile(Path.Combine(folder, names[index]));
}
