namespace UniFace.Cli.Photos;

/// <summary>`uniface embed`: writes the embedding of each photo's main face.</summary>
internal static class EmbedCommand
{
    private const string Description = """
        Write the embedding of each photo's main face. Embeddings have unit length; compare two by their dot product.
        Example: uniface embed model photos --out emb.npy
        """;

    public static Command Create()
    {
        Argument<string> images = new("IMAGES") { Description = CommonOptions.Photos };
        CliOption<string> output = new(
            "--out",
            "emb.npy: float32 [N, D], with the photos' names in emb.names.txt beside it. emb.csv: one row per photo, starting with its name.",
            "FILE")
        {
            Required = true,
        };
        VisionOptions vision = new();
        return CliCommand.Create("embed", Description, [vision.Package, images, output, .. vision.Detection, .. vision.Model], (parsed, stop) =>
        {
            string target = parsed.GetRequiredValue(output);
            EmbeddingFile.CheckName(target);
            using FaceRecognizer recognizer = vision.Open(parsed);
            using PhotoSet photos = PhotoInput.Open(parsed.GetRequiredValue(images));
            Output.RequireNotInput(target, photos.Source);
            Stopwatch clock = Stopwatch.StartNew();
            List<SkippedPhoto> skipped = [];
            int embedded = 0, size = recognizer.Embedder.EmbeddingSize;
            string? namesFile = EmbeddingFile.Write(target, size, row =>
            {
                foreach (PhotoFaces[] chunk in vision.ReadFaces(parsed, "embedding", photos, recognizer.Photos, stop))
                {
                    ILookup<bool, PhotoFaces> found = chunk.ToLookup(photo => photo.Faces.Count > 0);
                    skipped.AddRange(found[false].Select(photo => new SkippedPhoto(photo.Name, photo.Reason!)));
                    float[] embeddings = recognizer.Embedder.Embed([.. found[true].Select(photo => photo.Faces[0].Image)]); // [N, D]
                    foreach ((int i, PhotoFaces photo) in found[true].Index())
                    {
                        row(photo.Name, embeddings.AsSpan(i * size, size));
                        embedded++;
                    }
                }

                if (embedded == 0)
                {
                    throw Output.NoFace(photos, skipped);
                }
            });
            double seconds = clock.Elapsed.TotalSeconds, rate = photos.Names.Count / seconds;
            object json = new
            {
                @out = target,
                names = namesFile,
                images = photos.Names.Count,
                embedded,
                embeddingSize = size,
                recognizer.ContractId,
                detector = recognizer.Photos.DetectorName,
                seconds = Math.Round(seconds, 3),
                imagesPerSecond = Math.Round(rate, 1),
                skipped,
                leftOut = photos.Skipped,
                photos.IgnoredFiles,
            };
            parsed.Print(json, () =>
            {
                string names = namesFile is null ? "" : $", names in {namesFile}";
                Console.WriteLine($"{Plural.Format(embedded, "embedding")} of {size} values in {target}{names} ({rate:F1} images/s)");
                Output.SkippedPhotos(skipped);
                Output.SkippedFiles(photos);
            });
        });
    }
}
