"""Fields of work, each told by words that seldom occur outside it.

Chosen by hand, November 2026, in English, German, French, Spanish, Chinese and Japanese; not measured. Words that mean
something else in everyday talk or in another of these languages are left out, such as `court`, `patient` and `join`.
"""

from __future__ import annotations

DOMAINS: dict[str, tuple[str, ...]] = {
    "law": (
        *("lawsuit", "plaintiff", "defendant", "litigation", "statute", "liability", "attorney", "lawyer", "tort"),
        *("jurisdiction", "legal advice", "contract law", "gdpr", "copyright", "breach of contract", "indemnity"),
        *("rechtsanwalt", "anwältin", "gesetz", "klage", "kläger", "mietrecht", "arbeitsrecht", "urheberrecht"),
        *("vertragsrecht", "dsgvo", "gerichtsurteil", "haftung", "juristisch", "bgb", "kündigungsfrist"),
        *("avocat", "tribunal", "plaignant", "procès", "jurisprudence", "droit du travail", "code civil", "rgpd"),
        *("droit d'auteur", "litige", "juridique", "abogado", "abogada", "demanda judicial", "demandante"),
        *("jurisprudencia", "derecho laboral", "código civil", "derechos de autor", "jurídico", "litigio"),
        *("律师", "诉讼", "法律", "合同法", "原告", "被告", "著作权", "法院", "劳动法", "违约", "侵权"),
        *("弁護士", "訴訟", "法律", "契約書", "著作権", "裁判", "民法", "労働法", "損害賠償"),
    ),
    "medicine": (
        *("patients", "diagnosis", "symptom", "symptoms", "clinical", "dosage", "surgery", "chemotherapy", "biopsy"),
        *("prescription", "medication", "vaccine", "tumor", "tumour", "mg/kg", "differential diagnosis", "antibiotic"),
        *("diagnose", "symptome", "medikament", "nebenwirkungen", "krankheit", "impfung", "arzt", "ärztin", "therapie"),
        *("blutdruck", "dosierung", "diagnostic médical", "symptômes", "médicament", "effets secondaires", "maladie"),
        *("vaccin", "médecin", "ordonnance médicale", "posologie", "diagnóstico", "síntomas", "medicamento"),
        *("efectos secundarios", "enfermedad", "vacuna", "dosis", "médico", "paciente", "tensión arterial"),
        *("诊断", "症状", "患者", "药物", "剂量", "副作用", "疫苗", "手术", "疾病", "血压", "化疗"),
        *("診断", "症状", "患者", "服用", "副作用", "ワクチン", "手術", "病気", "血圧", "処方", "治療"),
    ),
    "finance": (
        *("portfolio", "dividend", "dividends", "hedge fund", "balance sheet", "cash flow", "ebitda", "valuation"),
        *("interest rate", "mortgage", "stock market", "shareholders", "invoice", "income tax", "depreciation"),
        *("bond yield", "aktien", "dividende", "bilanz", "zinssatz", "hypothek", "einkommensteuer", "steuererklärung"),
        *("rechnungsstellung", "abschreibung", "geldanlage", "börse", "umsatzsteuer", "bilan comptable", "impôt"),
        *("taux d'intérêt", "prêt immobilier", "bourse", "trésorerie", "amortissement", "comptabilité", "facture"),
        *("dividendes", "acciones", "dividendos", "hipoteca", "tipo de interés", "impuesto", "contabilidad"),
        *("flujo de caja", "bolsa de valores", "factura", "股票", "股息", "利率", "贷款", "资产负债表", "现金流"),
        *("税务", "基金", "估值", "发票", "投资组合", "株式", "配当", "金利", "住宅ローン", "貸借対照表", "確定申告"),
        *("減価償却", "請求書", "投資信託"),
    ),
    "web": (
        *("html", "css", "javascript", "typescript", "react", "vue", "svelte", "frontend", "dom", "http", "rest api"),
        *("graphql", "webpack", "next.js", "node.js", "website", "webseite", "webentwicklung", "site web"),
        *("développement web", "sitio web", "página web", "desarrollo web", "网页", "网站", "前端", "浏览器"),
        *("ウェブサイト", "フロントエンド", "ブラウザ", "ウェブ開発"),
    ),
    "data": (
        *("sql", "dataset", "dataframe", "pandas", "csv", "etl", "data warehouse", "parquet", "numpy", "inner join"),
        *("left join", "histogram", "time series", "postgres", "postgresql", "sqlite", "mysql", "linear regression"),
        *("datensatz", "datenbank", "zeitreihe", "datenanalyse", "base de données", "jeu de données"),
        *("analyse de données", "série temporelle", "base de datos", "conjunto de datos", "análisis de datos"),
        *(
            "serie temporal",
            "数据库",
            "数据集",
            "数据分析",
            "时间序列",
            "データベース",
            "データセット",
            "データ分析",
            "時系列",
        ),
    ),
    "security": (
        *("vulnerability", "exploit", "cve", "malware", "phishing", "encryption", "firewall", "xss", "csrf"),
        *("sql injection", "penetration test", "ransomware", "tls", "threat model", "buffer overflow"),
        *("sicherheitslücke", "schadsoftware", "verschlüsselung", "schwachstelle", "vulnérabilité", "chiffrement"),
        *("logiciel malveillant", "pare-feu", "hameçonnage", "vulnerabilidad", "cifrado", "cortafuegos"),
        *("ciberseguridad", "漏洞", "恶意软件", "加密", "防火墙", "网络安全", "脆弱性", "マルウェア", "暗号化"),
        *("ファイアウォール", "不正アクセス"),
    ),
    "operations": (
        *("kubernetes", "kubectl", "docker", "dockerfile", "terraform", "ansible", "systemd", "systemctl", "nginx"),
        *("ci/cd", "helm chart", "load balancer", "aws", "azure", "gcp", "prometheus", "grafana", "ssh", "cron"),
        *("crontab", "bereitstellung", "lastverteiler", "déploiement", "équilibreur de charge", "conteneur docker"),
        *("despliegue", "balanceador de carga", "容器", "部署", "负载均衡", "运维", "コンテナ", "デプロイ"),
        *("ロードバランサ", "サーバー運用"),
    ),
    "science": (
        *("hypothesis", "molecule", "quantum", "protein", "genome", "thermodynamics", "enzyme", "catalyst"),
        *("relativity", "photosynthesis", "isotope", "neuron", "astrophysics", "chemistry", "physics", "biology"),
        *("hypothese", "molekül", "quantenmechanik", "thermodynamik", "photosynthese", "relativitätstheorie"),
        *("chemie", "physik", "molécule", "mécanique quantique", "thermodynamique", "photosynthèse", "chimie"),
        *("physique quantique", "protéine", "molécula", "mecánica cuántica", "termodinámica", "fotosíntesis"),
        *("química", "física", "proteína", "分子", "量子", "蛋白质", "基因组", "热力学", "光合作用", "化学", "物理"),
        *("タンパク質", "ゲノム", "熱力学", "光合成", "相対性理論"),
    ),
    "education": (
        *("lesson plan", "curriculum", "homework", "rubric", "syllabus", "quiz", "pupil", "pupils", "classroom"),
        *("learning objective", "learning objectives", "worksheet", "grading", "hausaufgaben", "lehrplan"),
        *("unterricht", "arbeitsblatt", "klausur", "schüler", "schülerinnen", "plan de cours", "devoirs", "élèves"),
        *("fiche d'exercices", "programme scolaire", "plan de clase", "deberes", "alumnos", "hoja de ejercicios"),
        *(
            "plan de estudios",
            "教案",
            "作业",
            "课程",
            "学生",
            "课堂",
            "试卷",
            "授業",
            "宿題",
            "教材",
            "生徒",
            "カリキュラム",
        ),
    ),
}
