namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery reembed`: moves a gallery to another model.</summary>
internal static class GalleryReembedCommand
{
    private const string Description = """
        Move a gallery that keeps its faces (created with --crops) to another model. The gallery works with the old model until the
        move is complete; after an interruption, run the same command again.
        Example: uniface gallery reembed people.gallery better-package
        """;

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "The model package to move to." };
        GalleryOptions options = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters = [options.Gallery, package, vision.Threads, .. options.Keys, .. vision.Model];
        return CliCommand.Create("reembed", Description, parameters, async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            (ModelPackage opened, OnnxEmbedder embedder) = (recognizer.Package, recognizer.Embedder);
            string before = gallery.Info.ContractId;
            long templates = (await gallery.CountAsync(stop)).Templates, shown = 0;
            using (ProgressMeter progress = new("embedding", templates, "templates"))
            {
                string path = Path.GetFullPath(opened.Source);
                GalleryModel model = new(embedder.Manifest.ContractId, embedder.EmbeddingSize, path, crops => embedder.Embed([.. crops.Select(Decode)]));
                void Done(long done, long total)
                {
                    progress.Add(done - shown);
                    shown = done;
                }

                await gallery.ReembedAsync(model, Done, stop);
            }

            GalleryInfo info = gallery.Info;
            parsed.Print(
                new { gallery = gallery.Path, templates, from = before, to = info.ContractId, info.Package },
                () => Console.WriteLine($"{gallery.Path}: {Plural.Format(templates, "template")} moved to {opened.Source}"));
            return ExitCode.Success;

            RgbImage Decode(byte[] crop)
            {
                RgbImage face = recognizer.Decoder.Decode(crop, "a stored face");
                (int width, int height) = embedder.InputSize;
                return (face.Width, face.Height) == (width, height)
                    ? face
                    : throw new UniFaceException(
                        $"{gallery.Path} keeps faces of {face.Width}x{face.Height}, but {opened.Source} takes {width}x{height}; " +
                        "enroll the people again into a new gallery.");
            }
        });
    }
}
