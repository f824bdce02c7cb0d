// Compares two photos: dotnet run a.jpg b.jpg
using UniFace;
using UniFace.Vision;

using FaceRecognizer recognizer = FaceRecognizer.Open("dlib-resnet");
Verification answer = recognizer.Verify(args[0], args[1], falseMatchRate: 1e-3);
Console.WriteLine($"score {answer.Score:F4}: {answer.Reason}");
