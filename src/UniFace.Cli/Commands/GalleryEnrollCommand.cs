using System.CommandLine;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Vision;
using UniFace.Vision.Imaging;
using UniFace.Vision.Onnx;
using UniFace.Vision.Photos;
using UniFace.Vision.Quality;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery enroll: people from their photos.</summary>
internal static class GalleryEnrollCommand
{
    public static Command Create()
    {
        Argument<string> images = new("IMAGES") { Description = "A folder a person (photos/Ann/1.jpg), or a tar of that. With --person, a photo or any folder of photos." };
        Option<string?> person = new("--person") { Description = "All photos are of this person, whatever their folders.", HelpName = "NAME" };
        Option<bool> anyQuality = new("--any-quality") { Description = "Enrol faces that are small, blurred, dark or turned away, too." };
        Option<int?> personLevel = CommonOptions.PersonLevel();
        Option<bool> noLookAlikes = new("--no-lookalikes") { Description = "Do not look whether an enrolled face is enrolled under another name, too." };
        GalleryOptions options = new();
        VisionOptions vision = new();
        Command command = new(
            "enroll",
            "Enrol the main face of each photo as a template of its person. A photo that is enrolled already is passed over, so that an enrolment that was stopped goes on." +
            "\nExample: uniface gallery enroll people.gallery photos\nExample: uniface gallery enroll people.gallery ann.jpg --person Ann");
        command.Add(options.Gallery);
        command.Add(images);
        command.Add(person);
        command.Add(personLevel);
        command.Add(anyQuality);
        command.Add(noLookAlikes);
        command.Add(vision.Strict);
        command.Add(options.Package);
        options.AddKeyTo(command);
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
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
            using (Progress progress = new("enrolling", photos.Names.Count))
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
                            known.Add(whom, templates = await gallery.PhotosOfAsync(whom, stop).ConfigureAwait(false));
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
                    Enrolment[] batch =
                    [
                        .. wanted.Select((w, i) => new Enrolment(
                            w.Person,
                            embeddings.AsMemory(i * embedder.EmbeddingSize, embedder.EmbeddingSize),
                            gallery.Info.KeepsCrops ? ImageEncoder.Png(w.Face) : ReadOnlyMemory<byte>.Empty,
                            w.Photo,
                            w.Sha256)),
                    ];
                    if (batch.Length > 0)
                    {
                        // The same photo twice, or one enrolled before photos' hashes were kept, gets the id of a template that is there.
                        IReadOnlyList<long> ids = await gallery.EnrollAsync(batch, embedder.Manifest.ContractId, stop).ConfigureAwait(false);
                        Enrolment[] added = [.. batch.Zip(ids).Where(b => !known[b.First.Person].ContainsKey(b.Second) && fresh.Add(b.Second)).Select(b => b.First)];
                        enrolled += added.Length;
                        already += batch.Length - added.Length;
                        people.UnionWith(added.Select(a => a.Person));
                        await lookAlikes.FindAsync(added, stop).ConfigureAwait(false);
                    }

                    progress.Add(chunk.Names.Count + chunk.Skipped.Count);
                }
            }

            if (enrolled + already == 0)
            {
                throw new UniFaceException($"{photos.Source}: no face to enrol in any of {Plural.Of(photos.Names.Count, "picture")} ({skipped[0].Photo}: {skipped[0].Reason}).");
            }

            await gallery.StoreIndexAsync(always: false, stop).ConfigureAwait(false);
            GalleryCounts counts = await gallery.CountAsync(stop).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    gallery = gallery.Path,
                    images = photos.Names.Count,
                    enrolled,
                    already,
                    enrolledPeople = people.Count,
                    people = counts.People,
                    templates = counts.Templates,
                    severalFaces = several.Select(s => new { photo = s.Photo, faces = s.Face.FacesInPhoto, ambiguous = s.Face.Ambiguous }),
                    skipped = skipped.Select(s => new { photo = s.Photo, reason = s.Reason }),
                    leftOut = photos.LeftOut,
                    ignoredFiles = photos.IgnoredFiles,
                    lookAlikes = lookAlikes.Entries,
                });
            }
            else
            {
                Console.WriteLine($"{Plural.Of(enrolled, "template")} of {Plural.Of(people.Count, "person")} enrolled{(already > 0 ? $", {Plural.Of(already, "photo was", "photos were")} already" : "")}; {gallery.Path} holds {Plural.Of(counts.People, "person")}, {Plural.Of(counts.Templates, "template")}");
                foreach ((string photo, AlignedFace face) in several)
                {
                    string name = Output.Name(photo);
                    string what = face.Ambiguous ? $"warning: {name}: {FacePipeline.AmbiguityOf(face)}" : $"{name}: {face.FacesInPhoto} faces";
                    Console.Error.WriteLine($"{what}; the main one was enrolled");
                }

                foreach ((string photo, string reason) in skipped)
                {
                    Console.Error.WriteLine($"left out: {Output.Name(photo)}: {Output.Name(reason)}");
                }

                Output.LeftOut(photos);
                lookAlikes.Warn();
            }

            GalleryOptions.WarnOfDamage(gallery);

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Whom each photo shows: --person, or the folder that it lies in, by the rule of data sets.</summary>
    private static Dictionary<string, string> PeopleOf(PhotoSet photos, string? person, int? level)
    {
        if (person is not null)
        {
            return string.IsNullOrWhiteSpace(person) || level is not null
                ? throw new UniFaceException(level is null ? "--person: expected a name." : "--person and --person-level were both given; leave one out.")
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
