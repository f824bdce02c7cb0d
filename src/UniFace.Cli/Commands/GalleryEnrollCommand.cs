using System.CommandLine;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Onnx;
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
        GalleryOptions options = new();
        VisionOptions vision = new();
        Command command = new(
            "enroll",
            "Enrol the main face of each photo as a template of its person. A photo that is enrolled already is passed over, so that an enrolment that was stopped goes on." +
            "\nExample: uniface gallery enroll people.gallery photos\nExample: uniface gallery enroll people.gallery ann.jpg --person Ann");
        command.Add(options.Gallery);
        command.Add(images);
        command.Add(person);
        command.Add(anyQuality);
        command.Add(vision.Strict);
        command.Add(options.Package);
        options.AddKeyTo(command);
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            (ModelPackage _, OnnxEmbedder embedder) = options.OpenModel(parsed, vision, gallery);
            using OnnxEmbedder owned = embedder;
            using FacePipeline pipeline = vision.OpenPipeline(parsed, embedder.InputSize);
            using PhotoSet photos = PhotoSet.Open(parsed.GetRequiredValue(images));
            Func<string, string> nameOf = NameOf(parsed.GetValue(person));
            EnrolmentGate? gate = parsed.GetValue(anyQuality) ? null : new EnrolmentGate();
            HashSet<(string, string)> known = await gallery.SourcesAsync(stop).ConfigureAwait(false);
            List<(string Photo, string Reason)> skipped = [];
            List<(string Photo, AlignedFace Face)> several = [];
            HashSet<string> people = [];
            int enrolled = 0, already = 0;
            using (Progress progress = new("enrolling", photos.Names.Count))
            {
                foreach (PhotoChunk chunk in PhotoChunk.Of(photos, pipeline, vision.ThreadCount(parsed), stop))
                {
                    skipped.AddRange(chunk.Skipped);
                    List<(string Photo, string Person, RgbImage Face)> wanted = [];
                    foreach ((string photo, AlignedFace face) in chunk.Names.Zip(chunk.Faces))
                    {
                        string whom = nameOf(photo);
                        if (!known.Add((whom, photo)))
                        {
                            already++;
                        }
                        else if (gate?.Check(face) is { Count: > 0 } faults)
                        {
                            skipped.Add((photo, string.Join("; ", faults.Select(f => f.Message))));
                        }
                        else
                        {
                            wanted.Add((photo, whom, face.Image));
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
                            w.Photo)),
                    ];
                    if (batch.Length > 0)
                    {
                        await gallery.EnrollAsync(batch, embedder.Manifest.ContractId, stop).ConfigureAwait(false);
                        enrolled += batch.Length;
                        people.UnionWith(batch.Select(b => b.Person));
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
                });
            }
            else
            {
                Console.WriteLine($"{Plural.Of(enrolled, "template")} of {Plural.Of(people.Count, "person")} enrolled{(already > 0 ? $", {Plural.Of(already, "photo was", "photos were")} already" : "")}; {gallery.Path} holds {Plural.Of(counts.People, "person")}, {Plural.Of(counts.Templates, "template")}");
                foreach ((string photo, AlignedFace face) in several)
                {
                    string what = face.Ambiguous ? $"warning: {photo}: {FacePipeline.AmbiguityOf(face)}" : $"{photo}: {face.FacesInPhoto} faces";
                    Console.Error.WriteLine($"{what}; the main one was enrolled");
                }

                foreach ((string photo, string reason) in skipped)
                {
                    Console.Error.WriteLine($"left out: {photo}: {reason}");
                }
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Func<string, string> NameOf(string? person)
    {
        if (person is not null)
        {
            return string.IsNullOrWhiteSpace(person) ? throw new UniFaceException("--person: expected a name.") : _ => person;
        }

        return photo => photo.Split('/') is [.., string folder, _]
            ? folder
            : throw new UniFaceException($"{photo}: whose photo is this? Expected a folder a person (photos/Ann/1.jpg); give --person NAME for photos of one person.");
    }
}
