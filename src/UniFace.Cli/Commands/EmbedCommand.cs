using System.CommandLine;
using System.Diagnostics;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface embed: a row of numbers for each photo.</summary>
internal static class EmbedCommand
{
    private const int Chunk = 64;

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder) or a bare .onnx file." };
        Argument<string> images = new("IMAGES") { Description = "A photo, a folder of photos at any depth, or a tar of them." };
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
            using OnnxEmbedder embedder = vision.OpenEmbedder(parsed, ModelPackage.Open(parsed.GetRequiredValue(package)));
            using FacePipeline pipeline = vision.OpenPipeline(parsed, embedder.InputSize);
            using PhotoSet photos = PhotoSet.Open(parsed.GetRequiredValue(images));
            Stopwatch clock = Stopwatch.StartNew();
            List<string> names = [];
            List<(string Photo, string Reason)> skipped = [];
            List<float[]> rows = [];
            using (Progress progress = new("embedding", photos.Names.Count))
            {
                for (int first = 0; first < photos.Names.Count; first += Chunk)
                {
                    AddChunk(first, Math.Min(Chunk, photos.Names.Count - first), progress);
                }
            }

            if (names.Count == 0)
            {
                throw new UniFaceException($"{photos.Source}: no face in any of {photos.Names.Count} pictures ({skipped[0].Photo}: {skipped[0].Reason}); nothing was written.");
            }

            string? namesFile = EmbeddingFile.Write(target, names, rows, embedder.EmbeddingSize);
            double seconds = clock.Elapsed.TotalSeconds;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    @out = target,
                    names = namesFile,
                    images = photos.Names.Count,
                    embedded = names.Count,
                    embeddingSize = embedder.EmbeddingSize,
                    contractId = embedder.Manifest.ContractId,
                    detector = pipeline.DetectorName,
                    seconds = Math.Round(seconds, 3),
                    imagesPerSecond = Math.Round(photos.Names.Count / seconds, 1),
                    skipped = skipped.Select(s => new { photo = s.Photo, reason = s.Reason }),
                });
            }
            else
            {
                Console.WriteLine(FormattableString.Invariant($"{names.Count} embeddings of {embedder.EmbeddingSize} values in {target}{(namesFile is null ? "" : $", names in {namesFile}")} ({photos.Names.Count / seconds:F1} images/s)"));
                foreach ((string photo, string reason) in skipped)
                {
                    Console.Error.WriteLine($"left out: {photo}: {reason}");
                }
            }

            return Task.FromResult(ExitCode.Success);

            void AddChunk(int first, int count, Progress progress)
            {
                AlignedFace?[] faces = new AlignedFace?[count];
                string?[] reasons = new string?[count];
                Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = vision.ThreadCount(parsed), CancellationToken = stop }, i =>
                {
                    string name = photos.Names[first + i];
                    try
                    {
                        faces[i] = pipeline.Align(photos.Read(first + i), name);
                        reasons[i] = faces[i] is null ? "no face found" : null;
                    }
                    catch (UniFaceException e)
                    {
                        reasons[i] = e.Message.StartsWith(name + ": ", StringComparison.Ordinal) ? e.Message[(name.Length + 2)..] : e.Message;
                    }
                });
                List<RgbImage> batch = [];
                for (int i = 0; i < count; i++)
                {
                    if (faces[i] is AlignedFace face)
                    {
                        names.Add(photos.Names[first + i]);
                        batch.Add(face.Image);
                    }
                    else
                    {
                        skipped.Add((photos.Names[first + i], reasons[i]!));
                    }
                }

                float[] embeddings = embedder.Embed(batch); // [N, D]
                for (int i = 0; i < batch.Count; i++)
                {
                    rows.Add(embeddings[(i * embedder.EmbeddingSize)..((i + 1) * embedder.EmbeddingSize)]);
                }

                progress.Add(count);
            }
        });
        return command;
    }
}
