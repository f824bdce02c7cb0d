// Enrolls the first photo as "Ann" and identifies the second: dotnet run ann.jpg who.jpg
using UniFace.Gallery;
using UniFace.Vision;

using FaceRecognizer recognizer = FaceRecognizer.Open("dlib-resnet");
await using IGallery gallery = FaceGallery.Open("people.gallery", recognizer);
await gallery.EnrollAsync("Ann", recognizer.Embed(args[0]));
Identification who = await gallery.IdentifyAsync(recognizer.Embed(args[1]), threshold: recognizer.ThresholdAt(1e-3));
Console.WriteLine($"{who.Candidates[0].Person}: score {who.Score:F4}: {who.Reason}");
