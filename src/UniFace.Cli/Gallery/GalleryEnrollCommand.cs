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
            options.Gallery, images, person, personLevel, anyQuality, noLookAlikes, vision.Strict, vision.Liveness, options.Package,
            .. options.Keys, .. vision.Detection, .. vision.Model, CommonOptions.Config,
        ];
        return CliCommand.Create("enroll", Description, parameters, async (parsed, stop) =>
        {
            parsed.Exclude(person, personLevel);
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            using FaceRecognizer recognizer = options.OpenModel(parsed, vision, gallery);
            using PhotoSet photos = PhotoInput.Open(parsed.GetRequiredValue(images));
            Dictionary<string, string> people = GetPeople(photos, parsed.GetValue(person), parsed.GetValue(personLevel));
            foreach (string name in people.Values.Distinct())
            {
                PersonName.ThrowIfInvalid(name);
            }

            LookAlikeRule? rule = parsed.GetValue(noLookAlikes) ? null : LookAlikeRule.Create(recognizer.Calibration);
            GalleryEnroller enroller = new(gallery, recognizer.ContractId, rule);
            PhotoEnrollment enrollment = new(gallery, recognizer.Embedder, enroller, parsed.GetValue(anyQuality) ? null : new EnrollmentGate());
            foreach (PhotoFaces[] chunk in vision.ReadFaces(parsed, "enrolling", photos, recognizer.Photos, stop))
            {
                await enrollment.EnrollAsync(chunk, people, stop);
            }

            IReadOnlyList<SkippedPhoto> skipped = enrollment.Skipped;
            (int enrolled, int already) = (enroller.Enrolled, enroller.AlreadyEnrolled);
            if (enrolled + already == 0)
            {
                throw Output.NoFace(photos, skipped);
            }

            await gallery.StoreIndexAsync(always: false, stop);
            GalleryCounts counts = await gallery.CountAsync(stop);
            object json = new
            {
                gallery = gallery.Path,
                images = photos.Names.Count,
                enrolled,
                already,
                enrolledPeople = enroller.People,
                counts.People,
                counts.Templates,
                qualities = enrollment.Qualities.Select(q => new { q.Photo, q.Quality }),
                severalFaces = enrollment.SeveralFaces.Select(s => new { s.Photo, faces = s.Face.FacesInPhoto, s.Face.Ambiguous }),
                skipped,
                leftOut = photos.Skipped,
                photos.IgnoredFiles,
                lookAlikes = enroller.LookAlikes.Select(l => new { l.Photo, l.Person, other = l.Other.Person, l.Other.Score }),
            };
            parsed.Print(json, () =>
            {
                string existing = already > 0 ? $", {Plural.Format(already, "photo was", "photos were")} already enrolled" : "";
                Console.WriteLine(
                    $"{Plural.Format(enrolled, "template")} of {Plural.Format(enroller.People, "person")} enrolled{existing}; " +
                    $"{DescribeQuality(enrollment.Qualities)}{gallery.Path} holds {GalleryOptions.Size(counts)}");
                foreach ((string photo, AlignedFace face) in enrollment.SeveralFaces)
                {
                    string name = Output.Name(photo);
                    string what = face.Ambiguous ? $"warning: {name}: {FacePipeline.DescribeAmbiguity(face)}" : $"{name}: {face.FacesInPhoto} faces";
                    Console.Error.WriteLine($"{what}; the main one was enrolled");
                }

                Output.SkippedPhotos(skipped);
                Output.SkippedFiles(photos);
                foreach (LookAlike found in enroller.LookAlikes)
                {
                    string chance = recognizer.Calibration!.DescribeRateAt(found.Other.Score);
                    Output.Warn(
                        $"{Output.Name(found.Photo)} is enrolled as {Output.Name(found.Person)}, but the face is enrolled as " +
                        $"{Output.Name(found.Other.Person)}, too (score {found.Other.Score:F4}, which two different people reach in {chance} comparisons)");
                }
            });
            GalleryOptions.WarnOfDamage(gallery);
        });
    }

    private static string DescribeQuality(IReadOnlyList<(string Photo, FaceQuality Quality)> qualities)
    {
        if (qualities.Count == 0)
        {
            return "";
        }

        (string photo, FaceQuality lowest) = qualities.MinBy(q => q.Quality.Overall);
        return $"quality {qualities.Average(q => q.Quality.Overall):F2} on average, lowest {lowest.Overall:F2} ({Output.Name(photo)}); ";
    }

    /// <summary>The person in each photo: --person, or the folder of the photo, by the rule for data sets.</summary>
    private static Dictionary<string, string> GetPeople(PhotoSet photos, string? person, int? level)
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
