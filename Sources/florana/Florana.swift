@main struct Florana { static func main() {} }
