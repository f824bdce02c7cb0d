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
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder) or an .onnx file." };
        Argument<string> images = new("IMAGES") { Description = "A photo (- for standard input), a folder of photos at any depth, or a tar of photos." };
        CliOption<string> output = new(
            "--out",
            "emb.npy: float32 [N, D], with the photos' names in emb.names.txt beside it. emb.csv: one row per photo, starting with its name.",
            "FILE")
        {
            Required = true,
        };
        VisionOptions vision = new();
        return CliCommand.Create("embed", Description, [package, images, output, .. vision.Detection, .. vision.Model], (parsed, stop) =>
        {
            string target = parsed.GetRequiredValue(output);
            EmbeddingFile.CheckName(target);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            (OnnxEmbedder embedder, FacePipeline pipeline) = (recognizer.Embedder, recognizer.Photos);
            using PhotoSet photos = PhotoSet.Open(parsed.GetRequiredValue(images));
            Output.RequireNotInput(target, photos.Source);
            Stopwatch clock = Stopwatch.StartNew();
            List<(string Photo, string Reason)> skipped = [];
            int embedded = 0, size = embedder.EmbeddingSize;
            string? namesFile = EmbeddingFile.Write(target, size, row =>
            {
                using ProgressMeter progress = new("embedding", photos.Names.Count);
                foreach (PhotoChunk chunk in PhotoChunk.ReadAll(photos, pipeline, vision.ThreadCount(parsed), stop))
                {
                    skipped.AddRange(chunk.Skipped);
                    float[] embeddings = embedder.Embed([.. chunk.Faces.Select(f => f.Image)]); // [N, D]
                    for (int i = 0; i < chunk.Names.Count; i++)
                    {
                        row(chunk.Names[i], embeddings.AsSpan(i * size, size));
                    }

                    embedded += chunk.Names.Count;
                    progress.Add(chunk.Names.Count + chunk.Skipped.Count);
                }

                if (embedded == 0)
                {
                    throw new UniFaceException(
                        $"{photos.Source}: no face in any of {Plural.Format(photos.Names.Count, "photo")} ({skipped[0].Photo}: {skipped[0].Reason}); " +
                        "nothing was written.");
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
                embedder.Manifest.ContractId,
                detector = pipeline.DetectorName,
                seconds = Math.Round(seconds, 3),
                imagesPerSecond = Math.Round(rate, 1),
                skipped = skipped.Select(s => new { s.Photo, s.Reason }),
                photos.LeftOut,
                photos.IgnoredFiles,
            };
            parsed.Print(json, () =>
            {
                string names = namesFile is null ? "" : $", names in {namesFile}";
                Console.WriteLine($"{Plural.Format(embedded, "embedding")} of {size} values in {target}{names} ({rate:F1} images/s)");
                Output.Skipped(skipped);
                Output.LeftOut(photos);
            });
            return ExitCode.Success;
        });
    }
}
