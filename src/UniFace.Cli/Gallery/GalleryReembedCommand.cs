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
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            OnnxEmbedder embedder = recognizer.Embedder;
            string source = recognizer.Package.Source;
            string before = gallery.Info.ContractId;
            long templates = (await gallery.CountAsync(stop)).Templates;
            using (ProgressMeter progress = new("embedding", templates, "templates"))
            {
                GalleryModel model = new(
                    recognizer.ContractId, embedder.EmbeddingSize, Path.GetFullPath(source), crops => embedder.Embed([.. crops.Select(Decode)]));
                await gallery.ReembedAsync(model, (done, _) => progress.Set(done), stop);
            }

            GalleryInfo info = gallery.Info;
            parsed.Print(
                new { gallery = gallery.Path, templates, from = before, to = info.ContractId, info.Package },
                $"{gallery.Path}: {Plural.Format(templates, "template")} moved to {source}");

            RgbImage Decode(byte[] crop)
            {
                RgbImage face = recognizer.Decoder.Decode(crop, "a stored face");
                (int width, int height) = embedder.InputSize;
                return (face.Width, face.Height) == (width, height)
                    ? face
                    : throw new UniFaceException(
                        $"{gallery.Path} keeps faces of {face.Width}x{face.Height}, but {source} takes {width}x{height}; " +
                        "enroll the people again into a new gallery.");
            }
        });
    }
}
