using UniFace.Vision.Quality;

namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery enroll`: enrolls people from their photos.</summary>
internal static class GalleryEnrollCommand
{
    private const string Description = """
        Enroll the main face of each photo as a template of its person. Photos that are already enrolled are skipped, so an
        interrupted enrollment continues when the command is run again.
        Example: uniface gallery enroll people.gallery photos
        Example: uniface gallery enroll people.gallery ann.jpg --person Ann
        """;

    public static Command Create()
    {
        Argument<string> images = new("IMAGES")
        {
            Description = "One folder per person (photos/Ann/1.jpg), or a tar of such folders. With --person, a photo or any folder of photos.",
        };
        CliOption<string?> person = new("--person", "All photos show this person, whatever their folders.", "NAME");
        CliOption<bool> anyQuality = new("--any-quality", "Also enroll faces that are small, blurred, dark or turned away.");
        CliOption<int?> personLevel = CommonOptions.PersonLevel();
        CliOption<bool> noLookAlikes = new("--no-lookalikes", "Do not check whether an enrolled face is also enrolled under another name.");
        GalleryOptions options = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
        [
            options.Gallery, images, person, personLevel, anyQuality, noLookAlikes, vision.Strict, options.Package,
            .. options.Keys, .. vision.Detection, .. vision.Model,
        ];
        return CliCommand.Create("enroll", Description, parameters, async (parsed, stop) =>
        {
            parsed.Exclude(person, personLevel);
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop);
            using FaceRecognizer recognizer = options.OpenModel(parsed, vision, gallery);
            (OnnxEmbedder embedder, FacePipeline pipeline) = (recognizer.Embedder, recognizer.Photos);
            using PhotoSet photos = PhotoSet.Open(parsed.GetRequiredValue(images));
            Dictionary<string, string> personOf = PeopleOf(photos, parsed.GetValue(person), parsed.GetValue(personLevel));
            foreach (string name in personOf.Values.Distinct())
            {
                PersonName.Ensure(name);
            }

            LookAlikes lookAlikes = new(gallery, parsed.GetValue(noLookAlikes) ? null : recognizer.Calibration);
            EnrollmentGate? gate = parsed.GetValue(anyQuality) ? null : new EnrollmentGate();
            Dictionary<string, IReadOnlyDictionary<long, string?>> known = [];
            List<(string Photo, string Reason)> skipped = [];
            List<(string Photo, AlignedFace Face)> several = [];
            HashSet<string> people = [];
            HashSet<long> fresh = [];
            int enrolled = 0, already = 0;
            using (ProgressMeter progress = new("enrolling", photos.Names.Count))
            {
                foreach (PhotoChunk chunk in PhotoChunk.ReadAll(photos, pipeline, vision.ThreadCount(parsed), stop))
                {
                    skipped.AddRange(chunk.Skipped);
                    List<(string Photo, string Person, RgbImage Face, string Sha256)> wanted = [];
                    foreach ((string photo, AlignedFace face, string sha256) in chunk.Names.Zip(chunk.Faces, chunk.Sha256))
                    {
                        string whom = personOf[photo];
                        if (!known.TryGetValue(whom, out IReadOnlyDictionary<long, string?>? templates))
                        {
                            known.Add(whom, templates = await gallery.GetPhotosAsync(whom, stop));
                        }

                        if (templates.Values.Contains(sha256))
                        {
                            already++;
                        }
                        else if (gate?.Check(face) is { Count: > 0 } faults)
                        {
                            skipped.Add((photo, string.Join("; ", faults.Select(f => f.Message))));
                        }
                        else
                        {
                            wanted.Add((photo, whom, face.Image, sha256));
                            if (face.FacesInPhoto > 1)
                            {
                                several.Add((photo, face));
                            }
                        }
                    }

                    float[] embeddings = embedder.Embed([.. wanted.Select(w => w.Face)]); // [N, D]
                    Enrollment[] batch =
                    [
                        .. wanted.Select((w, i) => new Enrollment(
                            w.Person,
                            embeddings.AsMemory(i * embedder.EmbeddingSize, embedder.EmbeddingSize),
                            gallery.Info.KeepsCrops ? ImageEncoder.Png(w.Face) : ReadOnlyMemory<byte>.Empty,
                            w.Photo,
                            w.Sha256)),
                    ];
                    if (batch.Length > 0)
                    {
                        // A repeated photo, or one enrolled before galleries stored hashes of photos, gets the id of the existing template.
                        IReadOnlyList<long> ids = await gallery.EnrollAsync(batch, embedder.Manifest.ContractId, stop);
                        IEnumerable<(Enrollment Template, long Id)> stored = batch.Zip(ids);
                        Enrollment[] added =
                            [.. stored.Where(s => !known[s.Template.Person].ContainsKey(s.Id) && fresh.Add(s.Id)).Select(s => s.Template)];
                        enrolled += added.Length;
                        already += batch.Length - added.Length;
                        people.UnionWith(added.Select(a => a.Person));
                        await lookAlikes.FindAsync(added, stop);
                    }

                    progress.Add(chunk.Names.Count + chunk.Skipped.Count);
                }
            }

            if (enrolled + already == 0)
            {
                throw new UniFaceException(
                    $"{photos.Source}: no face to enroll in any of {Plural.Format(photos.Names.Count, "photo")} ({skipped[0].Photo}: {skipped[0].Reason}).");
            }

            await gallery.StoreIndexAsync(always: false, stop);
            GalleryCounts counts = await gallery.CountAsync(stop);
            object json = new
            {
                gallery = gallery.Path,
                images = photos.Names.Count,
                enrolled,
                already,
                enrolledPeople = people.Count,
                counts.People,
                counts.Templates,
                severalFaces = several.Select(s => new { s.Photo, faces = s.Face.FacesInPhoto, s.Face.Ambiguous }),
                skipped = skipped.Select(s => new { s.Photo, s.Reason }),
                photos.LeftOut,
                photos.IgnoredFiles,
                lookAlikes = lookAlikes.Entries,
            };
            parsed.Print(json, () =>
            {
                string existing = already > 0 ? $", {Plural.Format(already, "photo was", "photos were")} already enrolled" : "";
                Console.WriteLine(
                    $"{Plural.Format(enrolled, "template")} of {Plural.Format(people.Count, "person")} enrolled{existing}; " +
                    $"{gallery.Path} holds {Plural.Format(counts.People, "person")}, {Plural.Format(counts.Templates, "template")}");
                foreach ((string photo, AlignedFace face) in several)
                {
                    string name = Output.Name(photo);
                    string what = face.Ambiguous ? $"warning: {name}: {FacePipeline.DescribeAmbiguity(face)}" : $"{name}: {face.FacesInPhoto} faces";
                    Console.Error.WriteLine($"{what}; the main one was enrolled");
                }

                Output.Skipped(skipped);
                Output.LeftOut(photos);
                lookAlikes.Warn();
            });
            GalleryOptions.WarnOfDamage(gallery);
            return ExitCode.Success;
        });
    }

    /// <summary>The person in each photo: --person, or the folder of the photo, by the rule for data sets.</summary>
    private static Dictionary<string, string> PeopleOf(PhotoSet photos, string? person, int? level)
    {
        if (person is not null)
        {
            return string.IsNullOrWhiteSpace(person)
                ? throw new UniFaceException("--person: expected a name.")
                : photos.Names.ToDictionary(photo => photo, _ => person.Trim());
        }

        try
        {
            return photos.Names.Zip(photos.PeopleByFolder(level)).ToDictionary(pair => pair.First, pair => pair.Second.Trim());
        }
        catch (UniFaceException e)
        {
            throw new UniFaceException($"{e.Message} Give --person NAME for photos of one person.", e);
        }
    }
}
