// What an application does that is compiled ahead of time: verifies two pictures, enrols one person and identifies the other picture.
//   AotProgram PACKAGE A B GALLERY [--aligned]
using UniFace.Decisions;
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.Vision;
using UniFace.Vision.Photos;

if (args is not [string package, string a, string b, string file, ..])
{
    Console.Error.WriteLine("usage: AotProgram PACKAGE A B GALLERY [--aligned]");
    return 2;
}

using FaceRecognizer recognizer = FaceRecognizer.Open(package, new RecognizerOptions { Photos = new PhotoOptions { Aligned = args.Contains("--aligned") } });
float[] embeddings = recognizer.Embedder.Embed([Align(a), Align(b)]);
int size = recognizer.Embedder.EmbeddingSize;
double score = CosineSimilarity.Compute(embeddings.AsSpan(0, size), embeddings.AsSpan(size));
Decision decision = new DecisionRule().ForVerification(recognizer.Calibration);
string answer = decision.IsMatch(score) ? "same" : "different";
Console.WriteLine(FormattableString.Invariant($"verify: {answer}, score {score:F4}, threshold {decision.Threshold:F4}"));

SqliteGallery.Create(file, new GalleryInfo { ContractId = recognizer.ContractId, EmbeddingSize = size });
await using SqliteGallery gallery = await SqliteGallery.OpenAsync(file);
await gallery.EnrollAsync([new Enrollment("Ann", embeddings.AsMemory(0, size))], recognizer.ContractId);
IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await gallery.SearchAsync(embeddings.AsMemory(size), recognizer.ContractId, 1);
Console.WriteLine(FormattableString.Invariant($"identify: {found[0][0].Person}, score {found[0][0].Score:F4}"));
return 0;

RgbImage Align(string path) => recognizer.Photos.Align(File.ReadAllBytes(path), path)?.Image ?? throw new InvalidOperationException($"{path}: no face");
