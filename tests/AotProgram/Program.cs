// What an application does that is compiled ahead of time: verifies two pictures, enrolls the first and identifies the second.
//   AotProgram PACKAGE A B GALLERY [--aligned]
using UniFace;
using UniFace.Gallery;
using UniFace.Vision;

if (args is not [string package, string a, string b, string file, ..])
{
    Console.Error.WriteLine("usage: AotProgram PACKAGE A B GALLERY [--aligned]");
    return 2;
}

using FaceRecognizer recognizer = FaceRecognizer.Open(package, new FaceRecognizerOptions { Aligned = args.Contains("--aligned") });
Verification answer = recognizer.Verify(a, b);
string same = answer.IsMatch ? "same" : "different";
Console.WriteLine(FormattableString.Invariant($"verify: {same}, score {answer.Score:F4}, threshold {answer.Threshold:F4}"));

await using IGallery gallery = FaceGallery.Open(file, recognizer);
await gallery.EnrollAsync("Ann", answer.First);
IReadOnlyList<GalleryCandidate> found = await gallery.SearchAsync(answer.Second, 1);
Console.WriteLine(FormattableString.Invariant($"identify: {found[0].Person}, score {found[0].Score:F4}"));
return 0;
