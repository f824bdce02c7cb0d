namespace UniFace.Cli.Demo;

/// <summary>A probe and its answer.</summary>
/// <param name="Person">The person shown.</param>
/// <param name="Enrolled">Whether that person is enrolled.</param>
/// <param name="Answer">The identified person; null for unknown.</param>
/// <param name="Score">The best score.</param>
/// <param name="Nearest">The person with that score.</param>
internal sealed record DemoProbe(string Person, bool Enrolled, string? Answer, double Score, string Nearest)
{
    [JsonPropertyName("right")]
    public bool IsCorrect => Enrolled ? Answer == Person : Answer is null;

    /// <summary>The probe and its answer in words.</summary>
    public string Describe() => (Enrolled, IsCorrect) switch
    {
        (true, true) => $"enrolled {Person} recognized (score {Score:F2})",
        (true, false) => $"enrolled {Person} NOT recognized ({(Answer is null ? "answer: unknown" : "taken for " + Answer)}, best score {Score:F2})",
        (false, true) => $"stranger {Person} rejected (best score {Score:F2})",
        (false, false) => $"stranger {Person} NOT rejected: taken for {Answer} (score {Score:F2})",
    };
}

/// <summary>The answers to all probes.</summary>
/// <param name="Mated">Probes of enrolled people.</param>
/// <param name="MatedCorrect">Of these, identified correctly.</param>
/// <param name="NonMated">Probes of strangers.</param>
/// <param name="NonMatedCorrect">Of these, rejected.</param>
internal sealed record DemoIdentification(
    int Mated,
    [property: JsonPropertyName("matedRight")] int MatedCorrect,
    int NonMated,
    [property: JsonPropertyName("nonMatedRight")] int NonMatedCorrect);

/// <summary>Ten enrolled people, and who is identified: one of them, a stranger, and then everybody.</summary>
/// <param name="Threshold">The threshold from the package's calibration.</param>
/// <param name="Known">The probe of an enrolled person.</param>
/// <param name="KnownImage">Its image, an index into the unseen people's images.</param>
/// <param name="Unknown">The probe of a stranger.</param>
/// <param name="UnknownImage">Its image.</param>
/// <param name="Counts">The answers to all probes.</param>
/// <param name="Enrolled">The enrolled images.</param>
internal sealed record DemoGallery(
    double Threshold, DemoProbe Known, int KnownImage, DemoProbe Unknown, int UnknownImage, DemoIdentification Counts, IReadOnlyList<int> Enrolled)
{
    /// <summary>Enrolls people into a gallery file and identifies the others' images.</summary>
    public static async Task<DemoGallery> RunAsync(
        DemoPlan plan, DemoFolder folder, SyntheticFaces faces, DemoPeople people, EmbeddedFaces embedded, ModelManifest manifest,
        Calibration calibration, CancellationToken stop)
    {
        calibration.EnsureFits(manifest);
        DecisionRule rule = new() { FalseMatchRate = plan.DecisionRate };
        double threshold = rule.ForIdentification(calibration, plan.GalleryPeople * plan.Templates).Threshold;
        GalleryInfo info = new() { ContractId = manifest.ContractId, EmbeddingSize = embedded.Dimension, Package = folder.Package };
        SqliteGallery.Create(folder.Gallery, info);
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(folder.Gallery, cancellationToken: stop);

        // People enroll with their easiest images, as at a desk. The easiest of all is kept as the probe.
        int[][] byDifficulty = [.. Enumerable.Range(0, people.People).Select(p => ByDifficulty(faces, people, p))];
        int[] enrolled = [.. byDifficulty.Take(plan.GalleryPeople).SelectMany(images => images.Skip(1).Take(plan.Templates))];
        await gallery.EnrollAsync([.. enrolled.Select(i => new Enrollment(people.Name(people.Labels[i]), Row(i)))], manifest.ContractId, stop);
        List<DemoProbe> all = [];
        foreach (int image in Enumerable.Range(0, people.Images.Length).Except(enrolled))
        {
            all.Add(await IdentifyAsync(image));
        }

        DemoProbe[] mated = [.. all.Where(p => p.Enrolled)], nonMated = [.. all.Where(p => !p.Enrolled)];
        DemoIdentification counts = new(mated.Length, mated.Count(p => p.IsCorrect), nonMated.Length, nonMated.Count(p => p.IsCorrect));
        int known = byDifficulty[0][0], unknown = byDifficulty[plan.GalleryPeople][0];
        return new DemoGallery(threshold, await IdentifyAsync(known), known, await IdentifyAsync(unknown), unknown, counts, enrolled);

        ReadOnlyMemory<float> Row(int image) => embedded.Values.AsMemory(image * embedded.Dimension, embedded.Dimension);

        async Task<DemoProbe> IdentifyAsync(int image)
        {
            int person = people.Labels[image];
            Identification answer = await gallery.IdentifyAsync(Row(image), manifest.ContractId, threshold, cancellationToken: stop);
            GalleryCandidate best = answer.Candidates[0];
            return new DemoProbe(people.Name(person), person < plan.GalleryPeople, answer.Person, best.Score, best.Person);
        }
    }

    /// <summary>The result in a line.</summary>
    public string Describe() =>
        $"{Known.Describe()}; {Unknown.Describe()}; of all: {Counts.MatedCorrect} of {Counts.Mated} recognized, " +
        $"{Counts.NonMatedCorrect} of {Counts.NonMated} strangers rejected";

    // The images of a person, the easiest first.
    private static int[] ByDifficulty(SyntheticFaces faces, DemoPeople people, int person) =>
    [
        .. Enumerable.Range(0, people.ImagesEach)
            .OrderBy(i => Difficulty(faces.Scene(people.First + person, i)))
            .Select(i => (person * people.ImagesEach) + i),
    ];

    // What makes an image hard to recognize, by its weight: occlusion, missing color, noise, pose, light.
    private static double Difficulty(FaceScene scene) =>
        (scene.Occlusion switch { Occlusion.None => 0, Occlusion.Glasses => 0.5, _ => 1 })
        + (0.6 * Math.Abs(1 - scene.Saturation)) + (scene.Noise / 15) + Math.Abs(scene.Yaw) + Math.Abs(scene.Pitch)
        + (0.3 * Math.Abs(scene.Exposure)) + (0.2 * (scene.EyesClosed + scene.LightContrast + Math.Abs(scene.Warmth) + Math.Abs(scene.Tint)))
        + (0.1 * scene.Blur);
}
