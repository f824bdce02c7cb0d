using System.CommandLine;
using System.Diagnostics;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Vision;
using UniFace.Vision.Onnx;
using UniFace.Vision.Photos;

namespace UniFace.Cli.Commands;

/// <summary>uniface embed: a row of numbers for each photo.</summary>
internal static class EmbedCommand
{
    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder) or a bare .onnx file." };
        Argument<string> images = new("IMAGES") { Description = "A photo (- for standard input), a folder of photos at any depth, or a tar of them." };
        Option<string> output = new("--out") { Description = "emb.npy: float32 [N, D], and the photos' names beside it in emb.names.txt. emb.csv: a row a photo, its name first.", Required = true, HelpName = "FILE" };
        VisionOptions vision = new();
        Command command = new("embed", "Turn the main face of each photo into its embedding (unit length; compare two by their dot product).\nExample: uniface embed model photos --out emb.npy")
        {
            package, images, output,
        };
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction((parsed, stop) =>
        {
            string target = parsed.GetRequiredValue(output);
            EmbeddingFile.CheckName(target);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            (OnnxEmbedder embedder, FacePipeline pipeline) = (recognizer.Embedder, recognizer.Photos);
            using PhotoSet photos = PhotoSet.Open(parsed.GetRequiredValue(images));
            Output.RequireNotInput(target, photos.Source);
            Stopwatch clock = Stopwatch.StartNew();
            List<(string Photo, string Reason)> skipped = [];
            int embedded = 0;
            string? namesFile = EmbeddingFile.Write(target, embedder.EmbeddingSize, row =>
            {
                using Progress progress = new("embedding", photos.Names.Count);
                foreach (PhotoChunk chunk in PhotoChunk.ReadAll(photos, pipeline, vision.ThreadCount(parsed), stop))
                {
                    skipped.AddRange(chunk.Skipped);
                    float[] embeddings = embedder.Embed([.. chunk.Faces.Select(f => f.Image)]); // [N, D]
                    for (int i = 0; i < chunk.Names.Count; i++)
                    {
                        row(chunk.Names[i], embeddings.AsSpan(i * embedder.EmbeddingSize, embedder.EmbeddingSize));
                    }

                    embedded += chunk.Names.Count;
                    progress.Add(chunk.Names.Count + chunk.Skipped.Count);
                }

                if (embedded == 0)
                {
                    throw new UniFaceException($"{photos.Source}: no face in any of {Plural.Of(photos.Names.Count, "picture")} ({skipped[0].Photo}: {skipped[0].Reason}); nothing was written.");
                }
            });
            double seconds = clock.Elapsed.TotalSeconds;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    @out = target,
                    names = namesFile,
                    images = photos.Names.Count,
                    embedded,
                    embeddingSize = embedder.EmbeddingSize,
                    contractId = embedder.Manifest.ContractId,
                    detector = pipeline.DetectorName,
                    seconds = Math.Round(seconds, 3),
                    imagesPerSecond = Math.Round(photos.Names.Count / seconds, 1),
                    skipped = skipped.Select(s => new { photo = s.Photo, reason = s.Reason }),
                    leftOut = photos.LeftOut,
                    ignoredFiles = photos.IgnoredFiles,
                });
            }
            else
            {
                Console.WriteLine(FormattableString.Invariant($"{Plural.Of(embedded, "embedding")} of {embedder.EmbeddingSize} values in {target}{(namesFile is null ? "" : $", names in {namesFile}")} ({photos.Names.Count / seconds:F1} images/s)"));
                foreach ((string photo, string reason) in skipped)
                {
                    Console.Error.WriteLine($"left out: {Output.Name(photo)}: {reason}");
                }

                Output.LeftOut(photos);
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }
}
