using System.CommandLine;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery reembed: moves a gallery to another model.</summary>
internal static class GalleryReembedCommand
{
    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "The model package to move to." };
        GalleryOptions options = new();
        VisionOptions vision = new();
        Command command = new(
            "reembed",
            "Move a gallery that keeps its faces (created with --crops) to another model. Until the end it works with the old one; after a stop, the same command goes on." +
            "\nExample: uniface gallery reembed people.gallery better-package");
        command.Add(options.Gallery);
        command.Add(package);
        command.Add(vision.Threads);
        options.AddKeyTo(command);
        vision.AddModel(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            (ModelPackage opened, OnnxEmbedder embedder) = (recognizer.Package, recognizer.Embedder);
            string before = gallery.Info.ContractId;
            long templates = (await gallery.CountAsync(stop).ConfigureAwait(false)).Templates, shown = 0;
            using (Progress progress = new("embedding", templates, "templates"))
            {
                GalleryModel model = new(embedder.Manifest.ContractId, embedder.EmbeddingSize, Path.GetFullPath(opened.Source), crops => embedder.Embed([.. crops.Select(Decode)])); // [N, D]
                await gallery.ReembedAsync(
                    model,
                    (done, _) =>
                    {
                        progress.Add(done - shown);
                        shown = done;
                    },
                    stop).ConfigureAwait(false);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = gallery.Path, templates, from = before, to = gallery.Info.ContractId, package = gallery.Info.Package });
            }
            else
            {
                Console.WriteLine($"{gallery.Path}: {Plural.Of(templates, "template is", "templates are")} of {opened.Source} now");
            }

            return ExitCode.Success;

            RgbImage Decode(byte[] crop)
            {
                RgbImage face = recognizer.Decoder.Decode(crop, "a stored face");
                return (face.Width, face.Height) == embedder.InputSize
                    ? face
                    : throw new UniFaceException($"{gallery.Path}: its faces are kept as {face.Width}x{face.Height}, {opened.Source} takes {embedder.InputSize.Width}x{embedder.InputSize.Height}; enrol the people again into a new gallery.");
            }
        });
        return command;
    }
}
