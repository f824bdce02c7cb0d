using UniFace.Evaluation;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.Packages;
using UniFace.Synthetic;

namespace UniFace.Cli.Demo;

/// <summary>Ten people are enrolled; then one of them and a stranger ask to be recognised, and after them everybody.</summary>
internal sealed class DemoGallery
{
    private DemoGallery(double threshold, DemoProbe known, int knownPicture, DemoProbe unknown, int unknownPicture, DemoIdentification counts, IReadOnlyList<int> enrolled)
    {
        Threshold = threshold;
        Known = known;
        KnownPicture = knownPicture;
        Unknown = unknown;
        UnknownPicture = unknownPicture;
        Counts = counts;
        Enrolled = enrolled;
    }

    /// <summary>The threshold, from the package's calibration.</summary>
    public double Threshold { get; }

    /// <summary>The enrolled person who asks.</summary>
    public DemoProbe Known { get; }

    /// <summary>The picture shown, an index into the unseen people's pictures.</summary>
    public int KnownPicture { get; }

    /// <summary>The stranger who asks.</summary>
    public DemoProbe Unknown { get; }

    /// <summary>The picture shown.</summary>
    public int UnknownPicture { get; }

    /// <summary>Everybody else's questions, counted.</summary>
    public DemoIdentification Counts { get; }

    /// <summary>The enrolled pictures.</summary>
    public IReadOnlyList<int> Enrolled { get; }

    /// <summary>Enrols into a gallery file and asks.</summary>
    public static async Task<DemoGallery> RunAsync(DemoPlan plan, DemoFolder folder, ProceduralFaces faces, DemoPeople people, EmbeddedFaces embedded, ModelManifest manifest, Calibration calibration, CancellationToken stop)
    {
        calibration.EnsureFits(manifest);
        double threshold = calibration.ThresholdAt(plan.DecisionRate);
        SqliteGallery.Create(folder.Gallery, new GalleryInfo { Id = "", ContractId = manifest.ContractId, EmbeddingSize = embedded.Dimension, Package = folder.Package });
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(folder.Gallery, cancellationToken: stop).ConfigureAwait(false);

        // As at a desk: people enrol, and ask, with plain pictures, straight and unhidden. The plainest of all is kept for asking.
        int[][] byQuality = [.. Enumerable.Range(0, people.People).Select(p => ByQuality(faces, people, p))];
        List<int> enrolled = [];
        List<Enrolment> enrolments = [];
        for (int person = 0; person < plan.GalleryPeople; person++)
        {
            foreach (int picture in byQuality[person].Skip(1).Take(plan.Templates))
            {
                enrolments.Add(new Enrolment(people.Name(person), Row(embedded, picture)));
                enrolled.Add(picture);
            }
        }

        await gallery.EnrollAsync(enrolments, manifest.ContractId, stop).ConfigureAwait(false);

        async Task<DemoProbe> Ask(int picture)
        {
            int person = people.Labels[picture];
            Identification answer = await gallery.IdentifyAsync(Row(embedded, picture), manifest.ContractId, threshold, cancellationToken: stop).ConfigureAwait(false);
            return new DemoProbe(people.Name(person), person < plan.GalleryPeople, answer.Person, answer.Candidates[0].Score, answer.Candidates[0].Person);
        }

        int knownPicture = byQuality[0][0], unknownPicture = byQuality[plan.GalleryPeople][0];
        List<DemoProbe> all = [];
        foreach (int picture in Enumerable.Range(0, people.Pictures.Length).Except(enrolled))
        {
            all.Add(await Ask(picture).ConfigureAwait(false));
        }

        DemoProbe[] mated = [.. all.Where(p => p.Enrolled)], strangers = [.. all.Where(p => !p.Enrolled)];
        return new DemoGallery(
            threshold, await Ask(knownPicture).ConfigureAwait(false), knownPicture, await Ask(unknownPicture).ConfigureAwait(false), unknownPicture,
            new DemoIdentification(mated.Length, mated.Count(p => p.Right), strangers.Length, strangers.Count(p => p.Right)), enrolled);
    }

    /// <summary>What came of it, in a line.</summary>
    public string Describe() => FormattableString.Invariant(
        $"{Words(Known)}; {Words(Unknown)}; of all: {Counts.MatedRight} of {Counts.Mated} recognised, {Counts.NonMatedRight} of {Counts.NonMated} strangers rejected");

    /// <summary>A question and its answer in words.</summary>
    public static string Words(DemoProbe probe) => (probe.Enrolled, probe.Right) switch
    {
        (true, true) => FormattableString.Invariant($"enrolled {probe.Person} recognised (score {probe.Score:F2})"),
        (true, false) => FormattableString.Invariant($"enrolled {probe.Person} NOT recognised ({(probe.Answer is null ? "taken for a stranger" : "taken for " + probe.Answer)}, best score {probe.Score:F2})"),
        (false, true) => FormattableString.Invariant($"stranger {probe.Person} rejected (best score {probe.Score:F2})"),
        (false, false) => FormattableString.Invariant($"stranger {probe.Person} NOT rejected: taken for {probe.Answer} (score {probe.Score:F2})"),
    };

    private static ReadOnlyMemory<float> Row(EmbeddedFaces embedded, int picture) => embedded.Values.AsMemory(picture * embedded.Dimension, embedded.Dimension);

    // The pictures of a person, the plainest first.
    private static int[] ByQuality(ProceduralFaces faces, DemoPeople people, int person) =>
        [.. Enumerable.Range(0, people.ImagesEach).OrderBy(i => Trouble(faces.Scene(people.First + person, i))).Select(i => people.At(person, i))];

    // What makes a picture hard to recognise, in the order of how much: things in front, glasses, missing colour, noise, pose, light.
    private static double Trouble(FaceScene scene) =>
        (scene.Occlusion switch { Occlusion.None => 0, Occlusion.Glasses => 0.5, _ => 1 })
        + (0.6 * Math.Abs(1 - scene.Saturation)) + (scene.Noise / 15) + Math.Abs(scene.Yaw) + Math.Abs(scene.Pitch)
        + (0.3 * Math.Abs(scene.Exposure)) + (0.2 * (scene.EyesClosed + scene.LightContrast + Math.Abs(scene.Warmth) + Math.Abs(scene.Tint))) + (0.1 * scene.Blur);
}
